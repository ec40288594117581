"""Real processes under faults: members who post, a nemesis that breaks what it can, and a checker that judges what came out."""
