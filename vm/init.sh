#!/bin/busybox sh
# The guest's first process, twice: out of the initramfs it puts the root file system together and
# starts itself again in it; there it mounts what the host shows, runs the command and powers off.
# What it is to do stands in the folder that the host shows as "run" (vm/guest.ts writes it).

fail() {
	echo "zclab guest: $1" >/dev/kmsg
	echo "zclab guest: $1" >/dev/console
	poweroff -f
}

# The modules lie flat in the initramfs, in the order in which they are to be loaded.
assemble() {
	export PATH=/bin
	busybox mkdir -p /proc /sys /dev /mnt
	busybox mount -t proc proc /proc
	# Finds out through /proc where busybox is.
	busybox --install -s /bin
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	# Somebody only asks whether this machine boots.
	grep -q zclab.probe /proc/cmdline && poweroff -f
	# The image's device appears after its driver has been loaded, and that takes a moment.
	for module in $(cat /modules/order); do
		insmod "/modules/$module" || fail "insmod $module failed"
	done
	tries=0
	while [ ! -b /dev/vda ]; do
		tries=$((tries + 1))
		[ $tries -lt 200 ] || fail "no /dev/vda"
		sleep 0.05
	done
	mount -t tmpfs tmpfs /mnt
	mkdir /mnt/lower /mnt/upper /mnt/work /mnt/guest
	mount -t squashfs -o ro /dev/vda /mnt/lower || fail "the image cannot be mounted"
	mount -t overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work \
		overlay /mnt/guest || fail "the overlay cannot be mounted"
	# In memory of its own, because an overlay cannot be laid over an overlay.
	mount -t tmpfs tmpfs /mnt/guest/run
	mkdir -p /mnt/guest/run/zclab
	cp /init /softnic.ko /mnt/guest/run/zclab/
	# The image has nothing of /boot, and no other file says how this kernel was configured.
	mkdir -p /mnt/guest/boot
	cp /config "/mnt/guest/boot/config-$(uname -r)"
	mount --move /dev /mnt/guest/dev
	umount /sys
	umount /proc
	exec switch_root /mnt/guest /run/zclab/init
}

# A share of the host, read-only or writable.
show() { # tag, where, options
	mkdir -p "$2"
	mount -t 9p -o "trans=virtio,version=9p2000.L,msize=512000,$3" "$1" "$2" ||
		fail "the share $1 cannot be mounted at $2"
}

# Read-only below, and what the guest writes in memory above: the host never sees it.
show_overlaid() { # tag, where
	show "$1" "/run/zclab/lower/$1" ro,cache=loose
	mkdir -p "$2" "/run/zclab/upper/$1" "/run/zclab/workdir/$1"
	mount -t overlay \
		-o "lowerdir=/run/zclab/lower/$1,upperdir=/run/zclab/upper/$1,workdir=/run/zclab/workdir/$1" \
		overlay "$2" || fail "the overlay of $1 cannot be mounted at $2"
}

# Only this one file, because its folder may be one of the guest's own.
show_file() { # tag, where
	show "$1" "/run/zclab/lower/$1" ro,cache=loose
	mkdir -p "${2%/*}"
	[ -e "$2" ] || : >"$2"
	mount --bind "/run/zclab/lower/$1/${2##*/}" "$2" || fail "$2 cannot be shown"
}

# The host announces its ports one by one.
port() { # name: the device of a port of the host's
	tries=0
	while [ $tries -lt 200 ]; do
		for path in /sys/class/virtio-ports/*/name; do
			read -r name <"$path" && [ "$name" = "$1" ] || continue
			device=${path%/name}
			echo "/dev/${device##*/}"
			return
		done
		tries=$((tries + 1))
		sleep 0.05
	done
	fail "the host has no port $1"
}

prepare() {
	export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t debugfs debugfs /sys/kernel/debug
	mkdir -p /dev/pts /dev/shm
	mount -t devpts devpts /dev/pts
	mount -t tmpfs tmpfs /dev/shm
	mount -t tmpfs tmpfs /tmp
	chmod 1777 /tmp
	ln -sf /proc/self/fd /dev/fd
	ln -sf /dev/fd/0 /dev/stdin
	ln -sf /dev/fd/1 /dev/stdout
	ln -sf /dev/fd/2 /dev/stderr
	# A disk of its own, for what is written past the page cache.
	ln -s /dev/vdb /run/zclab/scratch
	hostname zclab-guest
	ip link set lo up
	# Huge pages cannot be had any more once memory is in pieces.
	echo 32 >/proc/sys/vm/nr_hugepages
	insmod /run/zclab/softnic.ko || fail "softnic cannot be loaded"

	show run /run/zclab/host ro,cache=none
	. /run/zclab/host/shares
}

# Whoever still writes would keep the pipes open for ever.
end_stragglers() { # pids to keep
	for process in /proc/[0-9]*; do
		pid=${process#/proc/}
		readlink "$process/exe" >/dev/null 2>&1 || continue
		case " 1 $$ $* " in *" $pid "*) continue ;; esac
		kill -KILL "$pid" 2>/dev/null
	done
}

# Pipes, because a port cannot be opened twice, and /dev/stdout is opened by name.
run() {
	exec 3<>"$(port zclab.control)"
	mkfifo /run/zclab/out /run/zclab/err
	cat /run/zclab/out >"$(port zclab.out)" &
	out=$!
	cat /run/zclab/err >"$(port zclab.err)" &
	err=$!
	echo ready >&3
	# What a shell starts in the background ignores SIGINT, unless told otherwise.
	setsid /usr/bin/env --default-signal=INT,QUIT sh /run/zclab/host/command \
		>/run/zclab/out 2>/run/zclab/err </dev/null &
	command=$!
	while read -r order signal <&3; do
		[ "$order" = signal ] && kill "-$signal" "-$(cat /run/zclab/foreground)"
	done &
	listener=$!
	wait $command
	status=$?
	end_stragglers $out $err
	wait $out $err
	kill $listener 2>/dev/null
	echo "exit $status" >&3
}

# A guest that stays: in each of so many slots one command after the other.
stay() { # number of slots
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mkdir -p /run/netns /run/zclab/former
	for slot in $(seq "$1"); do serve "$slot" & done
	wait
}

serve() { # slot
	exec 3<>"$(port "zclab.control.$1")" 4>"$(port "zclab.out.$1")" 5>"$(port "zclab.err.$1")"
	here=/run/zclab/slot.$1
	group=/sys/fs/cgroup/slot.$1
	mkdir "$here" "$group"
	mkfifo "$here/out" "$here/err"
	echo ready >&3
	while read -r order mark <&3; do
		[ "$order" = run ] || continue
		settle
		run_in_slot "$1" "$mark"
	done
}

# What a command leaves the kernel to do, such as taking its network namespaces apart, would be counted
# with the next one. Where instructions are the clock, this time passes at once.
settle() {
	! grep -q zclab.clock=instructions /proc/cmdline || sleep 10
}

# The ports stay open, so a mark says where the output ends. Whoever still writes after the command is
# in its control group, and ends with it.
run_in_slot() { # slot, mark
	cat "$here/out" >&4 &
	out=$!
	cat "$here/err" >&5 &
	err=$!
	: >"$here/foreground"
	(
		echo 0 >"$group/cgroup.procs"
		export ZCLAB_FOREGROUND="$here/foreground"
		exec setsid /usr/bin/env --default-signal=INT,QUIT \
			busybox unshare -m sh /run/zclab/init command "$1"
	) >"$here/out" 2>"$here/err" </dev/null 3<&- 4>&- 5>&- &
	command=$!
	while read -r order signal <&3; do
		case $order in
		signal) interrupt "$signal" ;;
		kill) echo 1 >"$group/cgroup.kill" ;;
		esac
	done &
	listener=$!
	wait $command
	status=$?
	kill $listener
	wait $listener
	echo 1 >"$group/cgroup.kill"
	wait $out $err
	printf %s "$mark" >&4
	printf %s "$mark" >&5
	echo "exit $status" >&3
}

# A command that has just begun has not said yet which process group it is.
interrupt() { # signal
	until [ -s "$here/foreground" ]; do sleep 0.05; done
	kill "-$1" "-$(cat "$here/foreground")"
}

# In a mount namespace of its own: what a command leaves in memory, and the network namespaces that it
# gave names, are gone with it.
own_mounts() {
	own_memory /dev/shm
	own_memory /run/netns
	shared=$(shared_in_tmp)
	[ -z "$shared" ] || busybox mount -o rbind /tmp /run/zclab/former
	own_memory /tmp
	[ -z "$shared" ] || show_again "$shared"
}

own_memory() { # folder
	busybox mount -t tmpfs -o mode=1777 tmpfs "$1"
}

# What the host shows may lie in /tmp: its paths, one on each line, as /proc/mounts writes them.
shared_in_tmp() {
	while read -r source path rest; do
		case $path in /tmp/*) echo "$path" ;; esac
	done </proc/mounts
}

show_again() { # paths
	echo "$1" | while read -r path; do
		# Spaces are written as \040.
		path=$(printf %b "$path")
		before=/run/zclab/former/${path#/tmp/}
		if [ -d "$before" ]; then
			mkdir -p "$path"
		else
			mkdir -p "${path%/*}"
			: >"$path"
		fi
		busybox mount -o bind "$before" "$path"
	done
	busybox umount -l /run/zclab/former
}

# A shell at the host's terminal.
shell() {
	exec 3<>"$(port zclab.control)"
	echo ready >&3
	setsid -c sh /run/zclab/host/command </dev/hvc0 >/dev/hvc0 2>&1
	echo "exit $?" >&3
}

if [ ! -e /run/zclab/init ]; then
	assemble
fi
# The first process hands a command's own beginning on to this script, too.
if [ "$1" = command ]; then
	own_mounts
	exec sh "/run/zclab/host/command.$2"
fi
prepare
if [ -e /run/zclab/host/interactive ]; then
	shell
elif [ -e /run/zclab/host/slots ]; then
	stay "$(cat /run/zclab/host/slots)"
else
	run
fi
sync
echo o >/proc/sysrq-trigger
while :; do sleep 1; done
