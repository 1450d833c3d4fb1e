"""Models by name, folder, address or hub id: one door, `load`."""

from voxsphere.pretrained.card import Card
from voxsphere.pretrained.door import load
from voxsphere.pretrained.folder import Pretrained, open_folder, save_folder
from voxsphere.pretrained.known import KNOWN, Known

__all__ = ["KNOWN", "Card", "Known", "Pretrained", "load", "open_folder", "save_folder"]
