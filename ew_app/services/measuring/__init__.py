"""From rows to judgement: matrices, facts, findings and tiers, and how they are explained."""
