"""Networks over frames, one file each: `(in_dim, *, options)`, `.dim`, "batch frames in_dim" to "batch dim frames"."""
