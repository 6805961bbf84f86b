SELECT epoch FROM shardferry.epoch FOR UPDATE
