# Needs CAP_NET_ADMIN. nft(8): rulesets in and out, errors and what undoes them, sets and maps, and what rules do to traffic of loopback.
r() { "$@" 2>&1; echo "rc=$? $*"; }
r nft list ruleset
cat >/tmp/rules <<'END'
flush ruleset
table inet filter {
	set hosts { type ipv4_addr; flags interval; elements = { 198.51.100.1, 198.51.100.16/28, 203.0.113.5-203.0.113.9 } }
	set ports { type inet_service; elements = { 22, 80, 443 }; comment "web and shell"; }
	set pairs { type ipv4_addr . inet_service; elements = { 198.51.100.1 . 80, 198.51.100.2 . 443 } }
	set ranges { type ipv4_addr . inet_service; flags interval; elements = { 198.51.100.0/24 . 1000-2000 } }
	map marks { type inet_service : mark; elements = { 7 : 0x1, 8 : 0x2 } }
	map verdicts { type inet_service : verdict; elements = { 25 : drop, 26 : jump web, 27 : goto web } }
	chain web { tcp dport @ports counter accept; reject with tcp reset; }
	chain input {
		type filter hook input priority filter; policy accept;
		iif "lo" accept comment "own traffic"
		iifname { "eth0", "eth1*" } counter
		ct state vmap { established : accept, related : accept, invalid : drop }
		ct state new,untracked tcp flags & (fin|syn|rst|ack) == syn limit rate 10/second burst 20 packets accept
		ip saddr @hosts tcp dport vmap @verdicts
		ip saddr . tcp dport @pairs accept
		ip saddr . tcp dport @ranges drop
		ip6 saddr 2001:db8::/32 udp sport != 53 drop
		meta l4proto { tcp, udp } th dport 1-1023 log prefix "low: " level info
		icmp type { echo-request, echo-reply } limit rate over 5/minute drop
		icmpv6 type nd-neighbor-solicit accept
		meta mark set tcp dport map @marks
		ct mark set meta mark
		fib daddr type { local, broadcast } accept
		fib saddr . iif oif missing drop
		ip dscp 0x2e ip ttl < 5 meta length 100-200 reject with icmpx type admin-prohibited
		ether saddr 02:00:00:00:00:01 accept
	}
	chain output { type filter hook output priority 10; policy accept; udp dport 7301 counter drop; }
}
END
r nft -f /tmp/rules
nft list ruleset | tee /tmp/first | sed 's/counter packets [0-9]* bytes [0-9]*/counter/'
nft list ruleset >/tmp/again; r nft flush ruleset; r nft -f /tmp/again; nft list ruleset | diff - /tmp/again && echo the same once more
r nft list set inet filter hosts; r nft list map inet filter verdicts; r nft list chain inet filter web; r nft list table inet nosuch
r nft add element inet filter ports '{ 8080, 8443 }'; r nft delete element inet filter ports '{ 22 }'; r nft delete element inet filter ports '{ 9 }'; nft list set inet filter ports
r nft add element inet filter hosts '{ 198.51.100.20 }'; r nft add element inet filter hosts '{ 198.18.0.0/15 }'; nft list set inet filter hosts; r nft get element inet filter hosts '{ 198.18.7.7 }'
r nft add element inet filter verdicts '{ 28 : jump nosuch }'; r nft delete chain inet filter web; r nft delete set inet filter ports
r nft insert rule inet filter web tcp dport 21 accept; r nft add rule inet filter web position 99999 accept; r nft delete rule inet filter web handle 99999
handle=$(nft -a list chain inet filter web | sed -n 's/.*dport 21 accept # handle //p'); r nft replace rule inet filter web handle "$handle" tcp dport 20 drop 2>&1 | sed "s/handle $handle/handle H/"; nft list chain inet filter web
r nft rename chain inet filter web shop; nft list chain inet filter shop | head -2
printf 'add table ip a\nadd chain ip a b\nadd rule ip a nosuch accept\n' | r nft -f -; r nft list tables
python3 - <<'END'
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in 7301, 7302:
    try: print(port, s.sendto(b'hello', ('127.0.0.1', port)))
    except OSError as e: print(port, e.strerror)
END
nft list chain inet filter output
r nft flush ruleset
cat >/tmp/nat <<'END'
table ip nat {
	chain out { type nat hook output priority -100; ip daddr 127.0.0.53 udp dport 53 dnat to 127.0.0.1:5353; tcp dport 8001 redirect to :8002; tcp dport { 8003, 8004 } dnat to tcp dport map { 8003 : 127.0.0.1 . 8005, 8004 : 127.0.0.1 . 8006 }; }
	chain post { type nat hook postrouting priority srcnat; udp dport 5353 snat to 127.0.0.9; oifname "eth*" masquerade random; }
}
table inet refuse { chain in { type filter hook input priority 0; tcp dport 8100 reject with tcp reset; udp dport 8101 reject; tcp dport 8102 drop; } }
END
r nft -f /tmp/nat; nft list ruleset
cat >/tmp/talk.py <<'END'
import errno, socket, threading
def udp(port): s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', port)); s.settimeout(5); return s
server, client = udp(5353), udp(0)
client.sendto(b'who', ('127.0.0.53', 53)); data, peer = server.recvfrom(9); print(data, peer[0]); server.sendto(b'me', peer); print(client.recvfrom(9))
def tcp(port): s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('127.0.0.1', port)); s.listen(); return s
for asked, there in (8001, 8002), (8003, 8005), (8004, 8006):
    with tcp(there) as listener, socket.create_connection(('127.0.0.7' if asked == 8001 else '127.0.0.1', asked), 5) as c:
        a, _ = listener.accept(); a.sendall(b'x' * 200000 ); a.close(); total = 0
        while (n := len(c.recv(65536))): total += n
        print(asked, total, c.getpeername())
for port in 8100, 8102:
    with tcp(port): 
        s = socket.socket(); s.settimeout(0.5)
        print(port, errno.errorcode.get(s.connect_ex(('127.0.0.1', port)), 'connected'))
u = udp(0); u.connect(('127.0.0.1', 8101)); u.send(b'x')
try: u.recv(9)
except OSError as e: print(8101, e.strerror)
END
python3 /tmp/talk.py
conntrack -L 2>/dev/null | sed -E 's/ +/ /g; s/\b(src|dst)=127.0.0.1 //g; s/(sport|dport)=[3-6][0-9]{4}/\1=any/g; s/^([a-z]+ [0-9]+) [0-9]+/\1 N/;  s/use=[0-9]+/use=N/; ' | grep -v 8102 | sort | head -20
r conntrack -D -p udp 2>&1 | grep -c 'flow entries'
setpriv --reuid=1000 --clear-groups --inh-caps=-all nft list ruleset 2>&1 | head -1
r nft flush ruleset
