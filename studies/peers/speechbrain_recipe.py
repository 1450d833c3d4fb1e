"""SpeechBrain's recipe VoxCeleb/SpeakerRec/hparams/train_ecapa_tdnn.yaml, built of the parts of its package (1.1.2).

Its ResNet is here at the usual widths of 32 to 256: the recipe's own of 128 channels does not fit in 24 GB of memory.
"""

import logging
import random
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import soundfile
import speechbrain as sb
import torch
from speechbrain.augment.augmenter import Augmenter
from speechbrain.augment.time_domain import AddNoise, AddReverb, DropChunk, DropFreq
from speechbrain.dataio import audio_io
from speechbrain.dataio.dataset import DynamicItemDataset
from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.lobes.features import Fbank
from speechbrain.lobes.models.ECAPA_TDNN import ECAPA_TDNN, Classifier
from speechbrain.lobes.models.ResNet import ResNet
from speechbrain.nnet.losses import AdditiveAngularMargin, LogSoftmaxWrapper
from speechbrain.nnet.schedulers import CyclicLRScheduler
from speechbrain.processing.features import InputNormalization
from speechbrain.utils.data_pipeline import provides, takes

from studies.peers.inputs import table

RATE = 16000


def begin(seed: int, threads: int) -> None:
    """Seed every generator; keep SpeechBrain's log and warnings out of the output."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(threads)
    sb.utils.seed_everything(seed)


def dataset(files: Path, seconds: float) -> tuple[Any, int]:
    """Random crops of the files, and how many speakers they are of; the recipe stops at a file shorter than the crop,
    which is repeated here."""
    rows = {str(files.parent / row["path"]): row["speaker"] for row in table(files)}
    told = {
        path: {"wav": path, "duration": soundfile.info(path).duration, "spk_id": speaker}
        for path, speaker in rows.items()
    }
    samples, encoder = int(RATE * seconds), CategoricalEncoder()

    @takes("wav", "duration")  # type: ignore[untyped-decorator]
    @provides("sig")  # type: ignore[untyped-decorator]
    def crop(wav: str, duration: float) -> torch.Tensor:
        whole = int(duration * RATE)
        first = random.randint(0, max(0, whole - samples))
        wave: torch.Tensor = audio_io.load(wav, frame_offset=first, num_frames=min(samples, whole))[0][0]
        return wave.repeat(samples // max(1, len(wave)) + 1)[:samples]

    @takes("spk_id")  # type: ignore[untyped-decorator]
    @provides("spk_id_encoded")  # type: ignore[untyped-decorator]
    def label(speaker: str) -> Any:
        return encoder.encode_sequence_torch([speaker])

    data = DynamicItemDataset(told, [crop, label], ["id", "sig", "spk_id_encoded"])
    encoder.update_from_iterable(rows.values())
    return data, len(encoder)


def network(net: str = "ecapa512") -> Any:
    """ECAPA-TDNN of 512 channels, as its class makes it by default, or the ResNet."""
    return ResNet(80, channels=[32, 64, 128, 256]) if net == "resnet34w32" else ECAPA_TDNN(80)


def front_end() -> dict[str, Any]:
    """80 log mel bands, less each utterance's mean."""
    return {
        "compute_features": Fbank(n_mels=80),
        "mean_var_norm": InputNormalization(norm_type="sentence", std_norm=False),
    }


def modules(net: str, classes: int) -> dict[str, Any]:
    """Front end, network and classifier."""
    width = 256 if net == "resnet34w32" else 192
    networks = {"embedding_model": network(net), "classifier": Classifier(width, out_neurons=classes)}
    return front_end() | networks


def augmenter(kind: str, sounds: Path, workers: int) -> Any:
    """standard: each wave and four augmented copies of it, as in the recipe; single: one wave with all four in turn."""
    if kind == "none":
        return None
    rate = {"clean_sample_rate": RATE, "num_workers": workers}
    steps = [
        AddNoise(str(sounds / "noise.csv"), snr_low=0, snr_high=15, noise_sample_rate=RATE, **rate),
        AddReverb(str(sounds / "rir.csv"), reverb_sample_rate=RATE, **rate),
        DropFreq(
            drop_freq_low=0, drop_freq_high=1, drop_freq_count_low=1, drop_freq_count_high=3, drop_freq_width=0.05
        ),
        DropChunk(drop_length_low=1000, drop_length_high=2000, drop_count_low=1, drop_count_high=5),
    ]
    four = partial(Augmenter, augmentations=steps, min_augmentations=4, max_augmentations=4, augment_prob=1.0)
    return four(parallel_augment=kind == "standard", concat_original=kind == "standard")


def settings(augment: Any, *, half_cycle: float) -> dict[str, Any]:
    """AAM-softmax, and a learning rate that climbs to 1e-3 and falls again, each in `half_cycle` steps."""
    return {
        "augment": augment,
        "cost": LogSoftmaxWrapper(AdditiveAngularMargin(margin=0.2, scale=30)),
        "rate": CyclicLRScheduler(base_lr=1e-8, max_lr=1e-3, step_size=half_cycle),
    }


class Speakers(sb.core.Brain):  # type: ignore[misc]
    """A classifier of speakers, as SpeechBrain's `Brain.fit` trains it."""

    def compute_forward(self, batch: Any, stage: Any) -> tuple[Any, Any, Any]:
        """Logits, the labels of their rows, and the rows' relative lengths."""
        told, parts = batch.to(self.device), self.modules
        (waves, lengths), labels = told.sig, told.spk_id_encoded.data
        if self.hparams.augment is not None:
            waves, lengths = self.hparams.augment(waves, lengths)
            labels = self.hparams.augment.replicate_labels(labels)
        features = parts.mean_var_norm(parts.compute_features(waves), lengths)
        return parts.classifier(parts.embedding_model(features)), labels, lengths

    def compute_objectives(self, predictions: tuple[Any, Any, Any], batch: Any, stage: Any) -> Any:
        """The loss; the learning rate of this step is set."""
        self.hparams.rate.on_batch_end(self.optimizer)
        return self.hparams.cost(*predictions)


optimiser = partial(torch.optim.Adam, lr=1e-3, weight_decay=2e-6)
