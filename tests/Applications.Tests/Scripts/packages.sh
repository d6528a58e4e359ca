# What Debian's package tools say of the root: the same as on Linux.
apt list --installed 2>/dev/null | sort | md5sum; apt list --installed 2>/dev/null | wc -l
dpkg -l | awk 'NR > 5 { print $1, $2, $3 }' | md5sum; dpkg -l | wc -l
dpkg -S /bin/bash; dpkg --verify coreutils; echo $?; dpkg -L bash | md5sum; apt-cache policy bash | head -2; apt-get -s remove make 2>/dev/null | grep -c Remv
ldconfig -p | wc -l; update-alternatives --query awk | head -1
