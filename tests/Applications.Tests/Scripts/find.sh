# Every file of the root, as Linux shows it.
find / -xdev | wc -l; find / -xdev | sort | md5sum
find / -xdev -type f ! -path '/root/*' -printf '%p %s %m %U %G %n %T@\n' | sort | md5sum; find / -xdev -type l -printf '%p %l\n' | sort | md5sum
find /usr/bin -perm -4000 | sort; find /etc -newer /etc/debian_version -name '*.conf' | wc -l; find /usr/lib -name '*.so*' -type f -exec sha1sum {} + | sort | md5sum
find /usr/include -name '*.h' | xargs grep -l pthread | wc -l; du -s --apparent-size --exclude=/proc --exclude=/sys --exclude=/dev /usr/include | wc -l; ls /usr/share/doc | wc -l; rm -rf /usr/share/doc && test ! -e /usr/share/doc && echo removed; find /usr/share -xdev | wc -l
