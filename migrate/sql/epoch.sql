SELECT epoch FROM shardferry.epoch
