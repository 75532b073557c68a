# shellcheck shell=bash
# What the commands share: packages, build, the user that runs servers, and
# private clusters.  Sourced by quickstart, stop and test; never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '\n== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# PGHOST and the like in the caller's environment must not lead to another server.
for name in ${!PG@}; do
  case $name in PG_*) ;; *) unset "$name" ;; esac
done
unset name
export LC_ALL=C.UTF-8

# PostgreSQL refuses to run as root: then its servers belong to "postgres".  What is in
# server_env, as NAME=VALUE, is set for whatever runs as that user.
server_env=()
if [ "$(id -u)" = 0 ]; then
  server_user=${PG_SERVER_USER:-postgres}
  as_root() { "$@"; }
  as_server() { (cd / && exec runuser -u "$server_user" -- env HOME=/tmp "${server_env[@]}" "$@"); }
  give_to_server() { chown -R "$server_user" "$@"; }
else
  server_user=$(id -un)
  as_root() { sudo "$@"; }
  as_server() { (cd / && exec env "${server_env[@]}" "$@"); }
  give_to_server() { :; }
fi

# ---- packages ---------------------------------------------------------------

# A server named by PG_CONFIG is used as it is.  Otherwise the distribution's
# packages of PG_MAJOR are used, and installed where they are missing, with
# those that the arguments name.
find_server() { # [PACKAGE...]
  if [ -z "${PG_CONFIG:-}" ]; then
    local major=${PG_MAJOR:-15}
    install_packages gcc make libc6-dev perl tar \
      "postgresql-$major" "postgresql-server-dev-$major" "postgresql-$major-cron" \
      "postgresql-$major-pgtap" libtap-parser-sourcehandler-pgtap-perl libipc-run-perl "$@"
    PG_CONFIG=/usr/lib/postgresql/$major/bin/pg_config
  fi
  [ -x "$PG_CONFIG" ] || PG_CONFIG=$(command -v "$PG_CONFIG") || die "no pg_config at $PG_CONFIG"
  export PG_CONFIG
  bindir=$("$PG_CONFIG" --bindir)
  local tool
  for tool in initdb pg_ctl psql pgbench; do
    [ -x "$bindir/$tool" ] || die "$bindir/$tool is missing: install the whole PostgreSQL server"
  done
}

# What the benchmark measures besides order_ext, and draws with; without these packages it says so.
bench_packages() {
  echo gnuplot-nox
  [ "${PG_MAJOR:-15}" != 15 ] || echo postgresql-15-pgq3
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    die "no dpkg here: install PostgreSQL, its headers, pg_cron and pgTAP, and set PG_CONFIG"
  local package missing=()
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  say "installing ${missing[*]}"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300
    -o Dpkg::Use-Pty=0) log failed=
  log=$(mktemp)
  without_main_cluster
  without_services
  { as_root "${apt[@]}" update &&
    as_root "${apt[@]}" install -y --no-upgrade --no-install-recommends "${missing[@]}"
  } >"$log" 2>&1 </dev/null || failed=1
  restore_main_cluster_setting
  restore_services
  if [ -n "$failed" ]; then
    tail -n 30 "$log" >&2
    die "could not install ${missing[*]}; the log is $log"
  fi
  rm -f "$log"
}

# Installing the server package would create and start a cluster "main": a
# setting says no, and goes away with the installation.
no_main=/etc/postgresql-common/createcluster.d/order_ext-no-main.conf

without_main_cluster() {
  as_root mkdir -p "${no_main%/*}"
  echo "create_main_cluster = false" | as_root tee "$no_main" >/dev/null
}

restore_main_cluster_setting() {
  as_root rm -f "$no_main"
  as_root rmdir --ignore-fail-on-non-empty "${no_main%/*}"
}

# Brokers and the like would be started as well, as services.
no_services=/usr/sbin/policy-rc.d

without_services() {
  [ ! -e "$no_services" ] || return 0
  printf '#!/bin/sh\n# of order_ext: while it installs\nexit 101\n' | as_root tee "$no_services" >/dev/null
  as_root chmod 755 "$no_services"
}

restore_services() {
  ! grep -qs '^# of order_ext: ' "$no_services" || as_root rm -f "$no_services"
}

# ---- build ------------------------------------------------------------------

build_and_install() {
  say "building and installing order_ext for $("$PG_CONFIG" --version)"
  make -s -C "$root" -j "$(nproc)" PG_CONFIG="$PG_CONFIG"
  local install=(make -s -C "$root" install PG_CONFIG="$PG_CONFIG")
  if [ -w "$("$PG_CONFIG" --pkglibdir)" ]; then
    "${install[@]}" >/dev/null
  else
    as_root "${install[@]}" >/dev/null
  fi
}

# ---- clusters ---------------------------------------------------------------
# A cluster is a directory with data/, log and its socket.  It listens on
# nothing else, and only its user (and root) can enter the directory, which is
# why it needs no passwords.

# cluster_place DIR: prints where a cluster meant for DIR can live: DIR itself
# or, where the server's user cannot reach it or a socket's path would be too
# long (or odd), a new directory under /tmp.
cluster_place() {
  local dir=$1
  mkdir -p "$dir"
  give_to_server "$dir"
  if ! as_server test -w "$dir" || [ ${#dir} -gt 80 ] || [[ $dir =~ [^A-Za-z0-9/._+-] ]]; then
    rmdir "$dir"
    dir=$(mktemp -d /tmp/order_ext.XXXXXX)
    give_to_server "$dir"
  fi
  chmod 700 "$dir"
  echo "$dir"
}

# cluster_init DIR PORT [SETTING...]
cluster_init() {
  local dir=$1 port=$2
  shift 2
  as_server "$bindir/initdb" -D "$dir/data" -U postgres -A trust -E UTF8 --no-instructions >/dev/null
  printf '%s\n' "listen_addresses = ''" "port = $port" "unix_socket_directories = '$dir'" "$@" |
    as_server tee -a "$dir/data/postgresql.conf" >/dev/null
}

# cluster_start DIR [SERVER OPTIONS]
cluster_start() {
  as_server "$bindir/pg_ctl" -D "$1/data" -l "$1/log" -w -t 60 -o "${2:-}" start \
    >/dev/null </dev/null || {
    as_server tail -n 20 "$1/log" >&2
    die "the server did not start"
  }
}

# cluster_stop DIR [MODE]: no error where it does not run
cluster_stop() {
  if as_server "$bindir/pg_ctl" -D "$1/data" status >/dev/null 2>&1; then
    as_server "$bindir/pg_ctl" -D "$1/data" -m "${2:-fast}" -w stop >/dev/null
  fi
}
