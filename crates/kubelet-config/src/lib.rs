//! KubeletConfiguration v1beta1: fields, defaults, and how flags are laid over them
