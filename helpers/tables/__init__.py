"""Any table to the few numbers a fit needs: formula, columns, engines, summary."""
