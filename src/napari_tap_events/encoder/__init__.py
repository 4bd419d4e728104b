"""An image becomes a feature map."""
