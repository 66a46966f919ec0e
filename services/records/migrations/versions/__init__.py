"""One file a revision, four-digit names; `../HEAD` names the newest."""
