"""How exact is the filterbank on real speech? Ours, kaldi-native-fbank's, and a float64 computation, cell by cell.

    python -m studies.front_end --out studies/outputs/front_end.json

25 files of each data set, evenly spread over the manifest; 80 mels, Povey window. Differences of natural logarithms.
"""

from pathlib import Path
from typing import Annotated

import kaldi_native_fbank as knf
import numpy as np
import torch
import typer

from studies.pieces import corpus
from voxsphere.audio.features import Fbank
from voxsphere.audio.wave import read
from voxsphere.core.files import write_json
from voxsphere.core.manifest import Manifest

SETS = ("an4", "librispeech", "voxforge", "commonvoice_multi")


def run(out: Annotated[Path, typer.Option()], files: int = 25) -> None:
    """Compare and store."""
    manifest, fbank = Manifest.load(corpus() / "manifest.tsv"), Fbank(num_mels=80)
    table = []
    for name in SETS:
        utterances = [utterance for utterance in manifest if utterance.dataset == name]
        chosen = [read(u.path, rate=16000) for u in utterances[:: len(utterances) // files][:files]]
        pairs: dict[str, list[np.ndarray]] = {"ours_kaldi": [], "ours_exact": [], "kaldi_exact": []}
        for wave in chosen:
            batch = torch.from_numpy(wave)[None]
            ours, exact, kaldi = fbank(batch)[0].numpy(), fbank(batch.double())[0].numpy(), _kaldi(wave)
            for key, one, other in (
                ("ours_kaldi", ours, kaldi),
                ("ours_exact", ours, exact),
                ("kaldi_exact", kaldi, exact),
            ):
                pairs[key].append(np.abs(one.astype(np.float64) - other).ravel())
        row: dict[str, object] = {"set": name, "files": len(chosen)}
        for key, differences in pairs.items():
            cells = np.concatenate(differences)
            within = {f"within_{limit:g}": float((cells <= limit).mean()) for limit in (1e-4, 2e-4, 2e-3)}
            row[key] = within | {"max": float(cells.max())}
        table.append(row)
    write_json(out, {"num_mels": 80, "window": "povey", "sets": table})


def _kaldi(wave: np.ndarray) -> np.ndarray:
    options = knf.FbankOptions()
    options.frame_opts.dither = 0.0
    options.mel_opts.num_bins = 80
    computer = knf.OnlineFbank(options)
    computer.accept_waveform(16000, (wave * 32768).tolist())
    computer.input_finished()
    return np.stack([computer.get_frame(i) for i in range(computer.num_frames_ready)])


if __name__ == "__main__":
    typer.run(run)
