#!/bin/bash
# Makes a container fit to be a kind node, then becomes its init.
set -euo pipefail

mount --make-rshared / || true
mount -o remount,ro /sys || true
[[ -e /dev/kmsg ]] || ln -s /dev/console /dev/kmsg
rm -f /run/systemd/container

# The engine's name server (127.0.0.11) cannot be reached from pods, whose loopback is another:
# let it be found at the gateway's address too.
gateway=$(ip -4 route show default | awk '{print $3}')
if grep -q '127.0.0.11' /etc/resolv.conf; then
  iptables-save -t nat \
    | sed -e "s/-d 127.0.0.11/-d ${gateway}/" \
          -e 's/-A OUTPUT \(.*\) -j DOCKER_OUTPUT/&\n-A PREROUTING \1 -j DOCKER_OUTPUT/' \
          -e "s/--to-source :53/--to-source ${gateway}:53/" \
    | iptables-restore
  sed "s/127.0.0.11/${gateway}/" /etc/resolv.conf > /tmp/resolv.conf
  # A bind mount of the engine's: it can be written, not replaced.
  cat /tmp/resolv.conf > /etc/resolv.conf
fi

# A restarted engine may give a node another address: put it where kubeadm wrote the old one.
# Clients get the host name instead, as the API server's certificate keeps the old address.
address=$(getent ahostsv4 "$(hostname)" | awk 'NR == 1 {print $1}')
if [[ -f /kind/address && $(cat /kind/address) != "${address}" ]]; then
  old=$(sed 's/\./\\./g' /kind/address)
  find /etc/kubernetes -name '*.conf' -exec sed -i "s/\\b${old}\\b/$(hostname)/g" {} +
  find /etc/kubernetes -name '*.yaml' -exec sed -i "s/\\b${old}\\b/${address}/g" {} +
  sed -i "s/\\b${old}\\b/${address}/g" /var/lib/kubelet/kubeadm-flags.env
fi
echo "${address}" > /kind/address

# Routes to other nodes' pods are gone after a restart. Until they are back, what is meant for a
# pod (in kind's default range) must not leave through the gateway.
ip route replace unreachable 10.244.0.0/16

# kind waits for this line before it goes on.
if [[ -f /sys/fs/cgroup/cgroup.controllers ]]; then
  echo "detected cgroup v2"
else
  echo "detected cgroup v1"
fi
exec /sbin/init
