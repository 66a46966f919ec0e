"""The history of notify's tables; `HEAD` names the newest step, so that two branches conflict in git."""
