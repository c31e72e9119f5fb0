#!/bin/sh
# Installs what a target needs and the machine lacks, by package name: tests/deps.sh SET ... (as in needs_of).
# On Debian as root with apt; elsewhere it says in one line what to install and fails. Asks for nothing that is there.
set -eu

# probe=package; a probe is cmd:NAME[,OR_NAME], pkg:MODULE (pkg-config), py:MODULE (Debian's Python), file:PATH, glob:PATTERN
# or server:NAME (see has).
needs_of() {
	case $1 in
	build)
		echo cmd:gcc=gcc cmd:make=make cmd:ar=binutils cmd:pkg-config=pkg-config file:/usr/include/stdio.h=libc6-dev
		echo pkg:libmicrohttpd=libmicrohttpd-dev pkg:libcurl=libcurl4-openssl-dev pkg:libcjson=libcjson-dev
		echo pkg:hiredis=libhiredis-dev pkg:openssl=libssl-dev pkg:libxml-2.0=libxml2-dev pkg:libzip=libzip-dev
		;;
	test)
		echo file:/usr/include/cmocka.h=libcmocka-dev cmd:redis-server,valkey-server=redis-server cmd:openssl=openssl file:/usr/bin/python3=python3
		echo cmd:xmllint=libxml2-utils py:pytest=python3-pytest py:xdist=python3-pytest-xdist py:yaml=python3-yaml py:aiosmtpd=python3-aiosmtpd file:/usr/share/zoneinfo/Europe/Helsinki=tzdata
		;;
	einvoice) echo cmd:xmllint=libxml2-utils cmd:java=default-jre-headless file:/usr/share/java/Saxon-HE.jar=libsaxonhe-java ;;
	lint) echo cmd:clang-format=clang-format cmd:clang-tidy=clang-tidy cmd:shellcheck=shellcheck cmd:git=git file:/usr/bin/python3=python3 ;;
	fuzz) echo cmd:clang=clang 'glob:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a=libclang-rt-dev' ;;
	proxy) echo server:nginx=nginx ;;
	bench) echo cmd:node=nodejs cmd:npm=npm file:/etc/ssl/certs/ca-certificates.crt=ca-certificates ;;
	esac
}

has() {
	case $1 in
	cmd:*,*) has "${1%,*}" || has "cmd:${1##*,}" ;;
	cmd:*) command -v "${1#cmd:}" >/dev/null 2>&1 ;;
	pkg:*) command -v pkg-config >/dev/null 2>&1 && pkg-config --exists "${1#pkg:}" ;;
	# One that would start itself when installed: unpacked into build/deps/ instead.
	server:*) [ -x "/usr/sbin/${1#server:}" ] || [ -x "build/deps/${1#server:}/usr/sbin/${1#server:}" ] ;;
	py:*) /usr/bin/python3 -c "import ${1#py:}" >/dev/null 2>&1 ;;
	file:*) [ -e "${1#file:}" ] ;;
	glob:*)
		set +f
		# shellcheck disable=SC2086 # the pattern is to be expanded
		set -- ${1#glob:}
		set -f
		[ -e "$1" ]
		;;
	esac
}

missing=
servers=
set -f # a glob stays a word until has() expands it
for name in "$@"; do
	for need in $(needs_of "$name"); do
		has "${need%%=*}" && continue
		case $need in
		server:*) servers="$servers ${need#*=}" ;;
		*) missing="$missing ${need#*=}" ;;
		esac
	done
done
# Needs no root, unless the lists of packages are old or missing.
unpack() {
	mkdir -p build/deps
	rm -f "build/deps/$1.deb"
	for attempt in first again; do
		[ $attempt = first ] || apt-get update -q >/dev/null || break
		(cd build/deps && apt-get download -q -o APT::Sandbox::User= "$1" >/dev/null) || continue
		find build/deps -maxdepth 1 -name "$1_*.deb" -exec mv {} "build/deps/$1.deb" \;
		dpkg-deb -x "build/deps/$1.deb" "build/deps/$1"
		return
	done
	echo "$1 is missing; run: sudo apt-get install -y $1" >&2
	return 1
}
for package in $servers; do
	unpack "$package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
	echo "missing packages; run: sudo apt-get install -y$missing" >&2
	exit 1
fi
echo "installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >/dev/null
# shellcheck disable=SC2086 # a list of names
apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 $missing >/dev/null
