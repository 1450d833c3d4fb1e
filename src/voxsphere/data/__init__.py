"""Where recordings are listed: Kaldi folders, folders of speakers, tables."""
