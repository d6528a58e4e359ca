# Needs CAP_NET_ADMIN and CAP_SYS_ADMIN. ip(8) with network namespaces, veth pairs and a bridge: what Docker sets up, with packets that go through it, masqueraded and redirected.
export PATH=/usr/sbin:/sbin:$PATH
# Errors count, not the words of Linux's extended acknowledgements.
r() { "$@" 2>&1 | grep -v '^Error: \|^RTNETLINK answers: '; echo "rc=${PIPESTATUS[0]} $*"; }
mkdir -p /run/netns
r ip netns add a; r ip netns add a; r ip netns add b; r ip netns add world; ip netns list | sort
r ip link add br0 type bridge; r ip link add br0 type bridge; r ip link add x type nosuchkind
for n in a b; do
  r ip link add v$n type veth peer name eth0 netns $n; r ip link set v$n master br0; r ip link set v$n up
  r ip -n $n link set lo up; r ip -n $n link set eth0 up
done
r ip link set br0 up; r ip addr add 198.51.100.1/25 dev br0; r ip addr add 198.51.100.1/25 dev br0
r ip -n a addr add 198.51.100.2/25 dev eth0; r ip -n b addr add 198.51.100.3/25 brd + dev eth0
r ip -n a route add default via 198.51.100.1; r ip -n b route add default via 198.51.100.1; r ip -n b route add default via 198.51.101.1
r ip link add out type veth peer name eth0 netns world; r ip link set out up; r ip addr add 198.51.100.129/25 dev out
r ip -n world addr add 198.51.100.130/25 dev eth0; r ip -n world link set eth0 up; r ip -n world link set lo up
mkdir -p /tmp/proc; mount -t proc proc /tmp/proc; echo 1 >/tmp/proc/sys/net/ipv4/ip_forward; cat /proc/sys/net/ipv4/ip_forward; ip netns exec a cat /proc/sys/net/ipv4/conf/eth0/forwarding
sleep 1
r ip -4 -br addr show dev br0; r ip -n a -4 -br addr show dev eth0; r ip -n a route; r ip -n b route get 198.51.100.2; r ip -n a route get 198.51.100.130; ip -n b -4 addr show dev eth0 | grep -o 'inet .*brd [0-9.]*'
ip netns exec a ls /sys/class/net 2>&1; ls -d /sys/class/net/{br0,out,va,vb}
for n in br0 va; do ip -d link show dev $n | grep -o 'master br0\|bridge_slave\|veth \|\bbridge ' | sort -u; done
cat >/tmp/net.py <<'END'
import socket, sys, threading
def serve(port):
    s = socket.create_server(('', port)); s.settimeout(20)
    print('ready', flush=True)
    c, peer = s.accept()
    total = 0
    while data := c.recv(65536): total += len(data)
    print(port, 'from', peer[0], total, flush=True); c.close()
def call(host, port, count):
    s = socket.create_connection((host, port), 20); s.sendall(b'x' * count); s.shutdown(socket.SHUT_WR); print('closed', s.recv(1)); s.close()
if sys.argv[1] == 'serve': serve(int(sys.argv[2]))
else: call(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
END
try() { # server's namespace, port, client's namespace, address, port, bytes
  ip netns exec $1 python3 /tmp/net.py serve $2 >/tmp/server & 
  while ! grep -q ready /tmp/server; do sleep 0.05; done
  $3 python3 /tmp/net.py call $4 $5 $6; wait $!; cat /tmp/server; : >/tmp/server
}
: >/tmp/server
try b 7301 "ip netns exec a" 198.51.100.3 7301 3000000
try a 7302 "" 198.51.100.2 7302 10
# Out of the bridge: the world does not know the way back, so that only what is masqueraded gets an answer.
for kind in legacy nft; do
  ipt=iptables-$kind
  r $ipt -t nat -A POSTROUTING -s 198.51.100.0/25 ! -o br0 -j MASQUERADE
  try world 7303 "ip netns exec a" 198.51.100.130 7303 1000000
  r $ipt -t nat -A PREROUTING -i out -p tcp --dport 8080 -j DNAT --to-destination 198.51.100.3:80
  try b 80 "ip netns exec world" 198.51.100.129 8080 1000000
  r $ipt -t nat -F
done
r ip -n a link set eth0 down; r ip -n a route; r ip -n a link set eth0 name inside; r ip -n a link set inside mtu 1400 address 02:00:00:00:00:07 up; ip -n a link show dev inside | grep -o 'mtu 1400\|02:00:00:00:00:07'
r ip link set va nomaster; r ip link set va netns b; r ip link show dev va; ip -n b -br link | cut -d@ -f1 | cut -d' ' -f1
r ip netns exec b ip link del va; r ip -n a link show dev inside
r ip netns del a; ip netns list | sort; r ip link set lo netns b; r ip link del lo; r ip link set vb netns nosuch
r ip netns exec b true; r ip netns exec nosuch true
r ip link del br0; r ip link show dev br0; r ip link del vb; r ip -n b link show dev eth0
ip netns del b; ip netns del world; umount /tmp/proc
