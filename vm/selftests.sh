#!/bin/sh
# The kernel's own test programs for zero-copy receive and devmem TCP, unmodified, on softnic.
#
# Build iou-zcrx and ncdevmem (tools/testing/selftests/drivers/net/hw of Linux 7.3; they need liburing
# 2.15 and the generated code of tools/net/ynl) for Debian trixie, put them into a folder, and:
#
#	deno task vm --strict --out DIR -- sh vm/selftests.sh DIR
set -e
cd "$1"
ip netns add near
ip netns add far
ip -n near link add sn0 type softnic
ip netns exec near ip link add link sn0 name sn1 netns far type softnic
ip -n near addr add fd00::1/64 dev sn0 nodad
ip -n near link set sn0 up
ip -n far addr add fd00::2/64 dev sn1 nodad
ip -n far link set sn1 up
near="ip netns exec near"
far="ip netns exec far"

$far ethtool -G sn1 tcp-data-split on rx 64
$far ethtool -X sn1 equal 3
$far ethtool -N sn1 flow-type tcp6 dst-port 20000 action 3
# Normal, one shot, buffers of 8 and of 16 KiB.
for options in "" "-o 4" "-x 2" "-x 4"; do
	$far ./iou-zcrx -s -p 20000 -i sn1 -q 3 $options &
	sleep 3
	size=""
	[ "$options" != "-o 4" ] || size="-l 4096 -z 16384"
	$near ./iou-zcrx -c -h fd00::2 -p 20000 -l 12840 $size
	wait $!
	echo "iou-zcrx $options: ok"
done

echo 64 >/proc/sys/vm/nr_hugepages
$far ./ncdevmem -f sn1
echo "ncdevmem: ok"
$far ./ncdevmem -f sn1 -b 16384
echo "ncdevmem -b 16384: ok"
$near ethtool -G sn0 tcp-data-split on
$near ./ncdevmem -l -f sn0 -s fd00::1 -p 5201 -v 8 -L &
sleep 3
yes "$(printf '\1\2\3\4\5\6\7')" | head -c 8192 | $far ./ncdevmem -f sn1 -s fd00::1 -p 5201
wait $!
echo "ncdevmem, from device memory to device memory: ok"
