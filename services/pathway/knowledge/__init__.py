"""What is known, beside the judging itself: appraisals, urgent rules, changes between versions, explanations. Pure."""
