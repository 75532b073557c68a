# shellcheck shell=bash
# The suites of script/test, how each is run and how its tests are counted.
# Needs lib.sh, volumes.sh, and $work with a copy of the built checkout.

total_passed=0
total_failed=0

# run_suite NAME: runs suite_NAME, counts, shows what failed
run_suite() {
  local name=$1 log=$work/logs/$1.log status=0 passed failed start=$SECONDS
  say "$name"
  ("suite_$name") >"$log" 2>&1 </dev/null || status=$?

  # pg_regress before 16 has a format of its own, everything else speaks TAP.
  passed=$(grep -E '^(test .* \.\.\. ok|ok [0-9]+)' "$log" | grep -civ '# skip' || true)
  failed=$(grep -E '^(test .* \.\.\. FAILED|not ok [0-9]+)' "$log" | grep -civ '# todo' || true)
  if [ "$failed" = 0 ]; then
    if [ "$status" != 0 ]; then
      echo "suite $name ended with status $status"
      failed=1
    elif [ "$passed" = 0 ]; then
      echo "suite $name ran no test"
      failed=1
    fi
  fi
  [ "$failed" = 0 ] || show_failures "$name" "$log"
  echo "$name: $passed passed, $failed failed ($((SECONDS - start)) s)"
  total_passed=$((total_passed + passed))
  total_failed=$((total_failed + failed))
}

# show_failures NAME LOG: the failed tests with what they say (or the end of
# the log where none does), and the beginning of each file's difference
show_failures() {
  if ! grep -nE '^(test .* \.\.\. FAILED|not ok |# )' "$2" | sed 100q; then
    echo "--- end of $1.log"
    tail -n 40 "$2"
  fi
  if [ -s "$work/regression.diffs" ]; then
    echo "--- regression.diffs"
    awk '/^diff / { n = 0 } n++ < 60 && total++ < 600' "$work/regression.diffs"
  fi
}

# begin_at SECONDS ZONE: servers and clients of the suites run by a clock (test/fixtures/clock.c)
# that shows now so many seconds since 1970; each TAP test, which has servers of its own, begins
# at that time, too.
begin_at() {
  ${CC:-cc} -O2 -shared -fPIC -o "$work/clock.so" "$work/test/fixtures/clock.c"
  "$root/script/set-clock" "$work/clock" "$1"
  give_to_server "$work/clock" "$work/clock.so"
  server_env+=("LD_PRELOAD=$work/clock.so" "TEST_CLOCK=$work/clock" "TEST_CLOCK_AT=$1" "TZ=$2"
    "HARNESS_PERL=$work/script/perl-at")
}

# make as the server's user, against the test cluster, with a limit that only
# a hanging test reaches
make_in_work() {
  as_server timeout -k 10 "${SUITE_TIMEOUT:-1800}" env PGHOST="$work/pg" PGPORT=54329 \
    PGUSER=postgres make -s -C "$work" PG_CONFIG="$PG_CONFIG" "$@"
}

# only KIND SETUP...: the argument of make that picks the tests named by the variable KIND,
# after those that set up; nothing where it is not set
only() {
  local kind=$1
  shift
  [ -z "${!kind:-}" ] || echo "$kind=$* ${!kind}"
}

suite_regress() {
  local status=0 some
  some=$(only REGRESS 000_setup 001_helpers)
  make_in_work installcheck ISOLATION= ${some:+"$some"} || status=$?
  verified contrib_regression
  return $status
}

# the same once more on a server that does not preload order_ext, where
# dispatch() does the workers' work
suite_bare() {
  local status=0 some
  some=$(only REGRESS 000_setup 001_helpers)
  rm -f "$work/regression.diffs"
  cluster_stop "$work/pg"
  cluster_start "$work/pg" '-c shared_preload_libraries='
  make_in_work installcheck ISOLATION= ${some:+"$some"} || status=$?
  verified contrib_regression
  cluster_stop "$work/pg"
  cluster_start "$work/pg"
  return $status
}

suite_isolation() {
  local status=0 some
  some=$(only ISOLATION 000_isolation_setup 001_isolation_helpers)
  rm -f "$work/regression.diffs"
  make_in_work installcheck REGRESS= ${some:+"$some"} || status=$?
  verified isolation_regression
  return $status
}

# each test of the two suites above by itself, in a database that has only been set up: none needs
# what another one leaves. Not among the suites that script/test runs by itself.
suite_alone() {
  local file name n=0
  for file in "$work"/test/sql/*.sql "$work"/test/specs/*.spec; do
    name=${file##*/}
    name=${name%.*}
    case $name:$file in
      00*) continue ;;
      *.sql) set -- "REGRESS=000_setup 001_helpers $name" ISOLATION= ;;
      *.spec) set -- REGRESS= "ISOLATION=000_isolation_setup 001_isolation_helpers $name" ;;
    esac
    n=$((n + 1))
    rm -f "$work/regression.diffs"
    if make_in_work installcheck "$@"; then
      echo "ok $n - $name alone"
    else
      echo "not ok $n - $name alone"
      [ ! -e "$work/regression.diffs" ] || sed 's/^/# /' "$work/regression.diffs"
    fi >"$work/logs/alone.now" 2>&1
    grep -E '^(ok|not ok|#)' "$work/logs/alone.now"
  done
}

suite_pgtap() {
  rm -f "$work/regression.diffs"
  make_in_work pgtap-installcheck PG_PROVE_FLAGS_PGTAP=-v
}

suite_tap() {
  local status=0
  rm -f "$work/regression.diffs"
  volumes_mount "$work/volumes"
  make_in_work tap-installcheck PROVE_FLAGS="-v -j 3" ORDER_EXT_VOLUMES="$work/volumes" || status=$?
  volumes_unmount "$work/volumes"
  return $status
}

# script/check-* and what the other suites left in the server's log
suite_checks() {
  local check crash='PANIC|TRAP:|terminated by signal|terminated abnormally|still waiting for backend'
  for check in "$work"/script/check-*; do
    [ ! -x "$check" ] || holds "${check##*/}" as_server timeout 300 "$check"
  done
  holds "no crash in the server log" nothing grep -nE "$crash" "$work/pg/log"
}

# the archive of make dist holds no links, and builds and installs what the checkout does
suite_dist() {
  local archive=$work/dist.tar.gz tree=$work/dist
  local install=(install PG_CONFIG="$PG_CONFIG" DESTDIR="$work/installed")
  mkdir "$tree"
  holds "make dist" env GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory \
    GIT_CONFIG_VALUE_0="$root" make -s -C "$root" dist DIST="$archive"
  holds "it unpacks" tar -C "$tree" --strip-components=1 --no-same-owner -xf "$archive"
  holds "no symbolic links in it" nothing find "$tree" -type l
  give_to_server "$tree"
  holds "it builds" as_server make -s -C "$tree" PG_CONFIG="$PG_CONFIG" COPT=-O0
  holds "it installs" as_server make -s -C "$tree" "${install[@]}/archive"
  holds "the checkout installs" as_server make -s -C "$work" "${install[@]}/checkout"
  holds "the same files" same_names "$work/installed/archive" "$work/installed/checkout"
}

# Debian's package is built from what is committed, installed for the servers of the distribution,
# where an extension of the checkout makes way for it, and purged.
suite_package() {
  local tree=$work/package/tree
  local version package bindir was_installed='' control
  control=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$root/order_ext.control")
  if ! command -v dpkg-buildpackage >/dev/null || ! command -v pg_buildext >/dev/null; then
    install_packages build-essential debhelper postgresql-server-dev-all
  fi
  mkdir -p "$tree"
  git -c safe.directory="$root" -C "$root" archive HEAD | tar -C "$tree" -xf - --no-same-owner
  give_to_server "$work/package"
  holds "the changelog has the version of the extension" grep -q "^postgresql-order-ext ($control\." "$tree/debian/changelog"
  holds "debian/control is that of control.in" as_server env -C "$tree" pg_buildext checkcontrol
  holds "it builds" as_server env -u PG_CONFIG -C "$tree" \
    "DEB_BUILD_OPTIONS=parallel=$(nproc) noautodbgsym" dpkg-buildpackage -b -us -uc

  for version in $(pg_buildext supported-versions "$tree"); do
    package=postgresql-$version-order-ext
    bindir=/usr/lib/postgresql/$version/bin
    holds "$package has what make installs" packaged_as_installed "$package" "$bindir/pg_config"
    [ ! -e "$bindir/../lib/order_ext.so" ] || was_installed+=" $bindir/pg_config"
    holds "$package is installed" as_root dpkg -i "$work"/package/"$package"_*.deb
    mkdir "$work/package/$version"
    give_to_server "$work/package/$version"
    holds "a server of $version starts with it" server_of_package "$work/package/$version"
    holds "orders go through it" package_works "$work/package/$version" "$control"
    cluster_stop "$work/package/$version"
  done
  for package in "$work"/package/*.deb; do
    package=${package##*/}
    holds "$package is purged" as_root dpkg --purge "${package%%_*}"
  done
  holds "nothing is left" nothing find /usr/lib/postgresql /usr/share/postgresql /usr/share/doc -name '*order_ext*' -o -name '*order-ext*'
  for version in $was_installed; do
    as_root make -s -C "$root" install PG_CONFIG="$version" >/dev/null
  done
}

# packaged_as_installed PACKAGE PG_CONFIG
packaged_as_installed() {
  as_server make -s -C "$work" install PG_CONFIG="$2" DESTDIR="$work/package/make" &&
    diff <(dpkg -c "$work"/package/"$1"_*.deb | sed -n 's,.* \./\(usr/\(lib\|share/postgresql\)/.*[^/]\)$,\1,p' | sort) \
      <(cd "$work/package/make" && find usr -type f | sort)
}

server_of_package() {
  cluster_init "$1" 54330 "shared_preload_libraries = 'order_ext'" "fsync = off" &&
    cluster_start "$1"
}

# package_works DIR VERSION: an order is created, paid and handled by the workers
package_works() {
  local psql=(as_server "$bindir/psql" -XAtq -v ON_ERROR_STOP=1 -h "$1" -p 54330 -U postgres -d postgres)
  "${psql[@]}" -c "CREATE EXTENSION order_ext" \
    -c "SELECT 1 / (order_ext.version() LIKE '$2%')::int" \
    -c "SELECT order_ext.put_product('A', 'A', 100), order_ext.adjust_stock('A', 5)" \
    -c "SELECT order_ext.pay_callback(id, 'T-1', 'card', 100) FROM order_ext.create_order(1, '[{\"sku\": \"A\", \"quantity\": 1}]', 100)" \
    -c "DO \$\$ BEGIN FOR i IN 1..600 LOOP EXIT WHEN EXISTS (SELECT FROM order_ext.orders_view WHERE status = 'fulfilling');
      COMMIT; PERFORM pg_sleep(0.1); END LOOP; ASSERT (SELECT status FROM order_ext.orders_view) = 'fulfilling'; END \$\$" \
    -c "DO \$\$ BEGIN ASSERT NOT EXISTS (SELECT FROM order_ext.verify() WHERE severity = 'error'); END \$\$"
}

# holds NAME COMMAND...: a test, in TAP, that is passed if the command succeeds
holds() {
  local name=$1 out=$work/logs/holds.out
  shift
  tests=$((${tests:-0} + 1))
  if "$@" >"$out" 2>&1; then
    echo "ok $tests - $name"
  else
    echo "not ok $tests - $name"
    sed 's/^/# /' "$out"
  fi
}

# nothing COMMAND...: whether the command prints nothing
nothing() {
  local found
  found=$("$@") || true
  [ -z "$found" ] || {
    printf '%s\n' "$found"
    return 1
  }
}

# same_names DIR DIR: whether there are files of the same names below
same_names() {
  diff <(cd "$1" && find . -type f | sort) <(cd "$2" && find . -type f | sort)
}

# verified DATABASE: one more test, that verify() finds no error there
verified() {
  local errors
  errors=$(as_server "$bindir/psql" -X -h "$work/pg" -p 54329 -U postgres -d "$1" -AtF ' ' \
    -c "SELECT * FROM order_ext.verify() WHERE severity = 'error'" 2>&1) || errors+=" (failed)"
  if [ -z "$errors" ]; then
    echo "ok 1 - verify() in $1"
  else
    echo "not ok 1 - verify() in $1"
    printf '%s\n' "$errors" | head -n 20 | sed 's/^/# /'
  fi
}

# finish STATUS: stops all our servers, keeps the logs, prints the last line
finish() {
  trap - EXIT
  set +e    # whatever goes wrong here, the last line is printed
  local pidfile kept=$root/tmp_test
  cluster_stop "$work/pg" immediate || true
  find "$work/tmp_check" -name postmaster.pid 2>/dev/null | while read -r pidfile; do
    as_server "$bindir/pg_ctl" -D "${pidfile%/*}" -m immediate stop >/dev/null 2>&1 || true
  done
  volumes_unmount "$work/volumes"
  rm -rf "$kept"
  mkdir -p "$kept"
  mv "$work/pg/log" "$work/logs/server.log" 2>/dev/null || true
  cp -r "$work/logs" "$work/results" "$work/regression.diffs" "$work/tmp_check/log" \
    "$kept/" 2>/dev/null || true
  rm -rf "$work"

  if [ "$1" != 0 ] || [ $((total_passed + total_failed)) = 0 ]; then
    total_failed=$((total_failed + 1))
  fi
  [ "$total_failed" = 0 ] || echo "what the suites left is in $kept"
  echo "$total_passed passed, $total_failed failed"
  [ "$total_failed" = 0 ] || exit 1
  exit 0
}
