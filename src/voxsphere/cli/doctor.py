"""What this machine has and lacks, found by looking."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at: "ok", "optional" (absent, and only some verbs need it), or "missing"."""

    name: str
    state: Literal["ok", "optional", "missing"]
    text: str

    def to_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)


EXTRAS = {
    "accelerate": ("train", "training"),
    "tensorboard": ("train", "learning curves in TensorBoard"),
    "av": ("media", "m4a, aac, amr, wma and video files"),
    "kaldiio": ("data", "Kaldi ark/scp"),
    "pyarrow": ("data", "Parquet"),
    "h5py": ("data", "HDF5"),
    "fsspec": ("data", "recordings on HTTP and S3"),
    "lhotse": ("data", "the corpora that lhotse knows"),
    "espeakng_loader": ("synthetic", "synthetic voices"),
    "huggingface_hub": ("hub", "models by hub id"),
    "yaml": ("import", "other projects' checkpoints"),
    "transformers": ("ssl", "self-supervised front ends"),
    "peft": ("ssl", "their fine-tuning by LoRA"),
}
_PACKAGES = {"yaml": "PyYAML"}  # whose name is not their module's


def examine() -> tuple[Finding, ...]:
    """Every finding, the needed first."""
    return (_python(), _torch(), *_needed(), _formats(), *_extras(), _pip(), *_models(), _corpus())


def _python() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return Finding("Python", "ok", f"{platform.python_version()} on {platform.system()}, {cores} cores")


def _torch() -> Finding:
    try:
        import torch
    except (ImportError, OSError) as error:
        return Finding("torch", "missing", f"cannot be imported ({error}); pip install torch")
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return Finding("torch", "ok", f"{torch.__version__}, {device}, {torch.get_num_threads()} threads")


def _needed() -> list[Finding]:
    found = []
    for name in ("numpy", "scipy", "soundfile", "soxr", "safetensors"):
        if importlib.util.find_spec(name) is None:
            found.append(Finding(name, "missing", f"pip install {name}"))
        else:
            found.append(Finding(name, "ok", importlib.metadata.version(name)))
    return found


def _formats() -> Finding:
    try:
        import soundfile
    except (ImportError, OSError) as error:
        return Finding("decoders", "missing", f"soundfile cannot be imported ({error})")
    have = soundfile.available_formats()
    formats = [name for name in ("WAV", "FLAC", "MP3", "OGG") if name in have]
    opus = ", Opus" if "OPUS" in soundfile.available_subtypes("OGG") else ""
    return Finding("decoders", "ok", f"{', '.join(formats)}{opus} (libsndfile {soundfile.__libsndfile_version__})")


def _extras() -> list[Finding]:
    found = []
    for module, (extra, purpose) in EXTRAS.items():
        name = _PACKAGES.get(module, module)
        if importlib.util.find_spec(module) is None:
            found.append(Finding(name, "optional", f"for {purpose}: pip install 'voxsphere[{extra}]'"))
        else:
            found.append(Finding(name, "ok", f"{importlib.metadata.version(name)}, {purpose}"))
    return found


def _pip() -> Finding:
    if importlib.util.find_spec("pip") is None:
        return Finding("pip", "optional", "not in this environment; the known models are fetched with it")
    return Finding("pip", "ok", importlib.metadata.version("pip"))


def _models() -> list[Finding]:
    from voxsphere.core.files import cache_folder
    from voxsphere.pretrained import KNOWN
    from voxsphere.pretrained.sources import kept_member

    folder = cache_folder()
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free / 1e9
    found = [Finding("cache", "ok" if free > 1 else "missing", f"{folder}, {free:.0f} GB free")]
    for name, known in KNOWN.items():
        there = kept_member(known.weights).exists()
        text = "in the cache" if there else f"not fetched yet ({known.weights.megabytes} MB)"
        found.append(Finding(name, "ok" if there else "optional", text))
    return found


def _corpus() -> Finding:
    corpus = os.environ.get("VOXSPHERE_CORPUS")
    if not corpus:
        return Finding("corpus", "optional", "VOXSPHERE_CORPUS is not set; only some tests and studies need it")
    if not os.path.exists(os.path.join(corpus, "manifest.tsv")):
        return Finding("corpus", "missing", f"VOXSPHERE_CORPUS names {corpus}, which has no manifest.tsv")
    return Finding("corpus", "ok", corpus)
