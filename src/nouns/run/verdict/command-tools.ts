import { type CommandTool, color } from './command-list.ts'

const cargo: CommandTool = {
  flags: '-q --quiet -v --verbose -vv --no-fail-fast --keep-going --locked --timings',
  values: '-j --jobs --color --message-format',
  rest: {
    flags: '-q --quiet --nocapture --no-capture --show-output',
    values: '--test-threads --color --format',
  },
  source: 'https://doc.rust-lang.org/cargo/commands/cargo-test.html https://doc.rust-lang.org/rustc/tests/index.html',
}

const pythonTest = 'https://docs.python.org/3/library/unittest.html#command-line-options'

/** The options that each tool may have and remain the same command, by its first word or its first two. */
export const tools: Record<string, CommandTool> = {
  vitest: {
    flags: `${color} --run --watch=false --no-watch --silent --no-file-parallelism --fileParallelism=false --logHeapUsage --hideSkippedTests --printConsoleTrace --expandSnapshotDiff --disable-console-intercept --no-clearScreen --clearScreen=false --sequence.shuffle --coverage --coverage.enabled`,
    values:
      '--reporter --outputFile --bail --maxWorkers --minWorkers --slowTestThreshold --sequence.shuffle= --sequence.seed --silent= --coverage.reporter --coverage.provider --coverage.reportsDirectory',
    source: 'https://vitest.dev/guide/cli.html',
  },
  jest: {
    flags: `${color} --ci --coverage --collectCoverage --verbose --silent --json --useStderr -b --bail -i --runInBand -e --expand --cache --no-cache --noStackTrace --watch=false --watchAll=false --no-watchman --watchman=false --detectOpenHandles --forceExit --logHeapUsage --randomize --showSeed`,
    values:
      '-w --maxWorkers --maxConcurrency --bail= --coverageReporters= --coverageDirectory --outputFile --reporters= --cacheDirectory --seed',
    source: 'https://jestjs.io/docs/cli',
  },
  mocha: {
    flags: `${color} -b --bail -p --parallel --full-trace --exit -C -c`,
    values: '-R --reporter -O --reporter-option --reporter-options -j --jobs',
    source: 'https://mochajs.org/running/cli/',
  },
  'playwright test': {
    flags: '-x --quiet --fully-parallel',
    values: '--reporter -j --workers --max-failures --trace',
    source: 'https://playwright.dev/docs/test-cli',
  },
  'node --test': {
    flags: '--no-warnings --experimental-test-coverage --test-force-exit',
    values: '--test-reporter --test-reporter-destination --test-concurrency',
    source: 'https://nodejs.org/api/cli.html',
  },
  'bun test': {
    flags: `${color} --coverage --bail --only-failures --dots`,
    values: '--bail= --reporter --reporter-outfile --coverage-reporter --coverage-dir --max-concurrency',
    source: 'https://bun.com/docs/test',
  },
  pytest: {
    flags:
      '-q --quiet -v --verbose -s -x --exitfirst -l --showlocals --no-header --no-summary --disable-warnings --disable-pytest-warnings --cov --cov-branch --cache-clear --ff --failed-first --nf --new-first --full-trace',
    values:
      '--tb --maxfail -r --color --code-highlight --capture --verbosity --durations --durations-min --show-capture --cov= --cov-report --junitxml --junit-xml --junit-prefix -n --numprocesses --timeout',
    pairs: ['-p no:cacheprovider', '-p no:randomly'],
    source:
      'https://docs.pytest.org/en/stable/reference/reference.html#command-line-flags https://pytest-cov.readthedocs.io/en/latest/config.html https://pytest-xdist.readthedocs.io/ https://pypi.org/project/pytest-timeout/',
  },
  unittest: {
    default: 'discover',
    flags: '-v --verbose -q --quiet -f --failfast -b --buffer -c --catch --locals',
    values: '--durations',
    source: pythonTest,
  },
  tox: {
    flags: '-q --quiet -v --verbose -r --recreate -o --parallel-live',
    values: '-p --parallel --colored --result-json',
    source: 'https://tox.wiki/en/latest/cli_interface.html',
  },
  'ruff check': {
    default: '.',
    flags: '-q --quiet -v --verbose -s --silent -n --no-cache --statistics --show-fixes',
    values: '--output-format --cache-dir --color',
    source: 'https://docs.astral.sh/ruff/configuration/#command-line-interface',
  },
  mypy: {
    flags:
      '--pretty --no-pretty --show-error-codes --hide-error-codes --show-error-context --hide-error-context --show-column-numbers --hide-column-numbers --show-error-end --error-summary --no-error-summary --color-output --no-color-output --incremental --no-incremental --sqlite-cache --no-sqlite-cache -v --verbose --show-traceback --tb',
    values: '--cache-dir --junit-xml',
    source: 'https://mypy.readthedocs.io/en/stable/command_line.html',
  },
  pyright: {
    flags: '--outputjson --stats --verbose',
    source: 'https://microsoft.github.io/pyright/#/command-line',
  },
  eslint: {
    flags: `${color} --cache --stats --debug`,
    values: '-f --format -o --output-file --cache-location --cache-strategy --cache-file --concurrency',
    source: 'https://eslint.org/docs/latest/use/command-line-interface',
  },
  tsc: {
    flags: '--diagnostics --extendedDiagnostics --listFiles --preserveWatchOutput --explainFiles',
    values: '--tsBuildInfoFile',
    booleans: '--noEmit --pretty --incremental',
    source: 'https://www.typescriptlang.org/docs/handbook/compiler-options.html',
  },
  'biome check': biome(),
  'biome ci': biome(),
  'biome lint': biome(),
  'go test': {
    hasLongNames: true,
    flags: '-v -v=true -x -cover -failfast -json -count=1 -artifacts',
    values: '-p -parallel -timeout -shuffle -coverprofile -covermode -coverpkg -outputdir',
    source: 'https://pkg.go.dev/cmd/go#hdr-Testing_flags',
  },
  'go vet': {
    hasLongNames: true,
    flags: '-v -x',
    values: '-p',
    source: 'https://pkg.go.dev/cmd/go#hdr-Report_likely_mistakes_in_packages',
  },
  'go build': {
    hasLongNames: true,
    flags: '-v -x',
    values: '-p',
    source: 'https://pkg.go.dev/cmd/go#hdr-Compile_packages_and_dependencies',
  },
  'golangci-lint run': {
    default: './...',
    flags: '-v --verbose --show-stats --allow-parallel-runners --allow-serial-runners',
    values:
      '-j --concurrency --timeout --color --out-format --max-issues-per-linter --max-same-issues --output.text.path --output.json.path',
    source: 'https://golangci-lint.run/docs/configuration/cli/',
  },
  'cargo test': cargo,
  'cargo check': { ...cargo, rest: {} },
  'cargo clippy': { ...cargo, rest: {} },
  'cargo build': { ...cargo, rest: {} },
  'cargo nextest': {
    flags: '-q --quiet -v --verbose --no-fail-fast --fail-fast --nff --ff --no-capture --nocapture --locked',
    values:
      '-j --jobs --test-threads --build-jobs --color --status-level --final-status-level --failure-output --success-output --max-fail',
    source: 'https://nexte.st/docs/running/',
  },
  make: {
    flags: '-s --silent --quiet -k --keep-going -w --print-directory --no-print-directory --trace -O',
    values: '--output-sync=',
    numbers: '-j --jobs',
    source: 'https://www.gnu.org/software/make/manual/html_node/Options-Summary.html',
  },
  gradle: {
    flags:
      '-q --quiet -i --info -d --debug -w --warn -s --stacktrace -S --full-stacktrace --daemon --no-daemon --parallel --no-parallel --build-cache --no-build-cache --configuration-cache --no-configuration-cache --rerun-tasks --scan --no-scan --profile --continue --no-continue --offline --watch-fs --no-watch-fs --warning-mode=all --warning-mode=summary --warning-mode=none',
    values: '--console --max-workers --priority',
    pairs: ['--warning-mode all', '--warning-mode summary', '--warning-mode none'],
    source: 'https://docs.gradle.org/current/userguide/command_line_interface.html',
  },
  mvn: {
    hasLongNames: true,
    flags:
      '-q --quiet -B --batch-mode --non-interactive -ntp --no-transfer-progress -e --errors -X --debug --verbose -V --show-version -o --offline -ff --fail-fast -fae --fail-at-end -nsu --no-snapshot-updates',
    values: '-T --threads -l --log-file --color -Dstyle.color=',
    source: 'https://maven.apache.org/ref/current/maven-embedder/cli.html',
  },
  'dotnet test': {
    hasLongNames: true,
    flags: '--nologo -nologo --no-restore --blame --no-progress',
    values: '-v --verbosity -verbosity -l --logger --collect --results-directory -m= -maxcpucount= --tl= -tl=',
    source: 'https://learn.microsoft.com/dotnet/core/tools/dotnet-test',
  },
  rspec: {
    flags:
      '--color --colour --no-color --force-color --no-colour -b --backtrace --no-profile -w --warnings --fail-fast --no-fail-fast',
    values: '-f --format -o --out --order --seed --deprecation-out --fail-fast=',
    numbers: '-p --profile',
    source: 'https://rspec.info/features/3-13/rspec-core/command-line/',
  },
}

function biome(): CommandTool {
  return {
    default: '.',
    flags: '--verbose',
    values: '--colors --reporter --max-diagnostics --log-level --log-kind',
    source: 'https://biomejs.dev/reference/cli/',
  }
}
