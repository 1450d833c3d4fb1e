"""Augmentation, drawn and then applied: distributions (`Augmentation`) of deeds (`Deed`) done to waves or features."""
