"""What only the notebooks need: the ledger and exercises, figures, the explorer, R beside Python, data."""
