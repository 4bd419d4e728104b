"""The paper's tables and ours, and the page that reports them."""
