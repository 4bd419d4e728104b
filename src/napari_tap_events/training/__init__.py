"""How anything here learns."""
