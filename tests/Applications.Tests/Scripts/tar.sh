# Archives there and back: equal hashes, modes, times, links, sparse files.
cd /tmp; hash() { (cd "$1" && find . -printf '%p %y %m %U:%G %T@ %l\n' | sort && find . -type f -print0 | sort -z | xargs -0 sha256sum) | sha256sum; }
mkdir src && cp -a /usr/lib/python3.11/json /etc/init.d src/ 2>/dev/null; mkdir src/x && ln -s nowhere src/x/dangling && ln src/json/decoder.py src/x/hard && truncate -s 5M src/x/hole && touch "src/x/with space" $'src/x/new\nline' && chmod 1777 src/x && mkfifo src/x/fifo
find src | wc -l
for how in '' z J j; do tar -c${how}f t.tar --sort=name -C src . && mkdir out && tar -xpf t.tar -C out && [ "$(hash src)" = "$(hash out)" ] && echo "equal [$how]"; rm -rf out; done
tar -cf - --sort=name -C /usr/share/perl5 . | sha256sum; tar -tvf t.tar | grep -c hard; tar --sparse -cf s.tar src/x/hole && [ "$(stat -c %s s.tar)" -lt 100000 ] && echo sparse; tar --delete -f s.tar src/x/hole && tar -tf s.tar | wc -l
