//! Is the image there, and if not: may it be pulled, and when?
