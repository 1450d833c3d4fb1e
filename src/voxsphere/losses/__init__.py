"""What training minimises: heads over the classes of the training speakers, losses on tuples, penalties."""
