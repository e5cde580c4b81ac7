"""Who is where: rosters in and back out, what codes mean, records that do not fit together."""
