"""SpeechBrain's and WeSpeaker's own training loops, to be run beside ours: docs/results.md holds what came.

They run in an environment of their own, which lacks voxsphere: nothing here imports it. One folder, PEERS, holds that
environment, WeSpeaker's clone, and what the loops read. Once, at the root of this repository:

    python3.11 -m venv PEERS/venv
    PEERS/venv/bin/pip install torch==2.13.0                  # the CPU build, as PyTorch's site says
    PEERS/venv/bin/pip install torchaudio==2.11.0 torchcodec==0.13.0 speechbrain==1.1.2 soundfile==0.14.0 soxr==1.1.0 \
        lmdb==3.0.0 kaldiio==2.18.1 PyYAML==6.0.3 tableprint==0.9.1 tqdm==4.70.1 six
    PEERS/venv/bin/pip install --no-deps torchnet==0.0.4      # it asks for visdom, which nothing here uses
    git clone https://github.com/wenet-e2e/wespeaker PEERS/wespeaker
    git -C PEERS/wespeaker checkout dfa7419
    PEERS/venv/bin/python -m studies.peers.inputs PEERS $VOXSPHERE_CORPUS

Speed of training, ours too, which runs by the Python that voxsphere is installed for:

    PEERS/venv/bin/python -m studies.peers.rounds PEERS PYTHON > studies/outputs/throughput.jsonl

What SpeechBrain learns from the files of small_corpus, and its embeddings of what the trial lists name:

    python -m studies.small_corpus lists                 # LEARNT.tsv and TESTED.tsv: the two files that it names
    PEERS/venv/bin/python -m studies.peers.speechbrain_ecapa train PEERS/ecapa LEARNT.tsv
    PEERS/venv/bin/python -m studies.peers.speechbrain_ecapa embed PEERS/ecapa TESTED.tsv EMBEDDINGS.npz
    python -m studies.small_corpus score --other speechbrain-ecapa512=EMBEDDINGS.npz

The coloured lists likewise: COLOURED.tsv is the manifest that `python -m studies.small_corpus colour` names.

    PEERS/venv/bin/python -m studies.peers.speechbrain_ecapa embed PEERS/ecapa COLOURED.tsv COLOURED.npz
    python -m studies.small_corpus colour --other speechbrain-ecapa512=COLOURED.npz
"""
