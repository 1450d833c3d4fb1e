"""The bricks that several encoders are built of; no saved file names them by themselves."""
