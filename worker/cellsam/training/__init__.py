"""Training from images and labels: data, crops, targets, losses, the loop. `trainer.train` is its front door."""
