"""Pure values: TPP, dates, records and the reasons for which one is rejected. No input, no output, no clock."""
