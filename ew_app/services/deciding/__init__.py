"""From what was judged to what stands: findings, tiers, counts and cases, written where they changed."""
