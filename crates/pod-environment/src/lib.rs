//! What a container sees around it: /etc/hosts, resolv.conf, hostname
