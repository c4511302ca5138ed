-- Developer accounts that were added on the panel of a checkout; an add-on keeps them in its options.
CREATE TABLE vendor_ids (vendor_id TEXT PRIMARY KEY) STRICT;
