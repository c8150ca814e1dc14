/**
 * In what two spellings of one command may differ. An entry belongs here only if the documentation of its tool says
 * that it changes output, speed or order, and not what is checked. Options are separated by spaces.
 */
export interface CommandSpelling {
  /** Options without a value, also as clusters of letters: `-xvs`. */
  flags?: string
  /** Options with a value: `--tb short`, `--tb=short`, `-n4`. Their `flags` with a value stand as a whole: `-count=1`. */
  values?: string
  /** Options that a number may follow: `-j 8`. Behind any other option without a value, it is an argument of its own. */
  numbers?: string
  /** Options that `true` or `false` may follow. */
  booleans?: string
  /** An option and its value that count only together. */
  pairs?: string[]
  /** Options that may follow `--`. */
  rest?: CommandSpelling
  /** Whether names after one dash have several letters: no clusters, and `-v:q` has a value. */
  hasLongNames?: boolean
}

export interface CommandTool extends CommandSpelling {
  /** The documentation that says what the options do. */
  source: string
  /** The argument that stands for none. */
  default?: string
}

export const color = '--color --colors --no-color'

/** Options of test runners that mean the same in all of them, for scripts whose runner is unknown. */
const script: CommandSpelling = {
  flags: `${color} --coverage --run --ci --watch=false --watchAll=false --no-watch --silent --verbose --bail --runInBand --no-cache --detectOpenHandles --forceExit`,
  values: '--reporter= --reporters= --maxWorkers= --bail= --outputFile= --coverageReporters= --coverageDirectory=',
}

/**
 * Options that add to what is checked: thresholds of coverage in a configuration, or whether a lock file is up to date. A
 * command may have them where its rule has not, but not the other way round.
 */
export const additions = new Set(
  '--coverage --collectCoverage --coverage.enabled --cov --cov-branch --locked'.split(' '),
)

/**
 * Options whose value may be a program that the tool loads, which could end it as if all tests had passed. They count only
 * with a name that is no path.
 */
export const loading = new Set(
  '--reporter --reporters -R -f --format --test-reporter --coverage.reporter --coverageReporters'.split(' '),
)

/** Variables that may be set for a command. Any other makes another command. */
export const variables = new Set(
  `CI FORCE_COLOR NO_COLOR CLICOLOR CLICOLOR_FORCE PY_COLORS CARGO_TERM_COLOR TERM COLUMNS LINES PYTHONUNBUFFERED
   PYTHONDONTWRITEBYTECODE RUST_BACKTRACE CARGO_BUILD_JOBS NODE_NO_WARNINGS NO_UPDATE_NOTIFIER npm_config_loglevel
   NPM_CONFIG_LOGLEVEL UV_NO_PROGRESS DOTNET_NOLOGO DOTNET_CLI_TELEMETRY_OPTOUT GRADLE_DAEMON VITEST_MAX_WORKERS`.split(
    /\s+/,
  ),
)

export interface Launcher extends CommandSpelling {
  source: string
  /** The words that begin it. */
  begins: string
  /** What must stand between its options and the command. */
  takes?: 'duration' | 'variables' | 'module'
}

/** Programs that start another one, and exit as it does. */
export const launchers: Launcher[] = [
  {
    begins: 'npx',
    flags: '-y --yes --no --no-install -q --quiet --',
    source: 'https://docs.npmjs.com/cli/commands/npx',
  },
  { begins: 'npm exec', flags: '-y --yes --no --', source: 'https://docs.npmjs.com/cli/commands/npm-exec' },
  { begins: 'npm x', flags: '-y --yes --no --', source: 'https://docs.npmjs.com/cli/commands/npm-exec' },
  { begins: 'pnpm exec', flags: '--', source: 'https://pnpm.io/cli/exec' },
  { begins: 'yarn exec', flags: '--', source: 'https://yarnpkg.com/cli/exec' },
  { begins: 'bunx', source: 'https://bun.com/docs/pm/bunx' },
  { begins: 'bun x', source: 'https://bun.com/docs/pm/bunx' },
  {
    begins: 'uv run',
    flags: '--frozen --locked --no-sync -q --quiet -v --verbose --no-progress --offline --',
    source: 'https://docs.astral.sh/uv/reference/cli/#uv-run',
  },
  { begins: 'poetry run', source: 'https://python-poetry.org/docs/cli/#run' },
  { begins: 'pipenv run', source: 'https://pipenv.pypa.io/en/latest/cli.html#run' },
  { begins: 'bundle exec', source: 'https://bundler.io/man/bundle-exec.1.html' },
  ...['python', 'python3', 'py'].map(
    (begins): Launcher => ({
      begins,
      flags: '-u -B',
      takes: 'module',
      source: 'https://docs.python.org/3/using/cmdline.html#cmdoption-m',
    }),
  ),
  {
    begins: 'env',
    takes: 'variables',
    source: 'https://www.gnu.org/software/coreutils/manual/html_node/env-invocation.html',
  },
  ...['timeout', 'gtimeout'].map(
    (begins): Launcher => ({
      begins,
      flags: '-v --verbose -f --foreground',
      values: '-k --kill-after -s --signal',
      takes: 'duration',
      source: 'https://www.gnu.org/software/coreutils/manual/html_node/timeout-invocation.html',
    }),
  ),
  {
    begins: 'nice',
    values: '-n --adjustment',
    source: 'https://www.gnu.org/software/coreutils/manual/html_node/nice-invocation.html',
  },
  { begins: 'nohup', source: 'https://www.gnu.org/software/coreutils/manual/html_node/nohup-invocation.html' },
  {
    begins: 'stdbuf',
    values: '-i --input -o --output -e --error',
    source: 'https://www.gnu.org/software/coreutils/manual/html_node/stdbuf-invocation.html',
  },
  {
    begins: 'time',
    flags: '-p',
    source: 'https://www.gnu.org/software/bash/manual/html_node/Pipelines.html',
  },
  { begins: 'conduct exec --', source: 'conduct exec --help' },
  { begins: 'command', source: 'https://www.gnu.org/software/bash/manual/html_node/Bash-Builtins.html' },
]

/** Modules that `python -m` runs as their own program does. */
export const modules = new Set(
  'pytest unittest tox nox ruff mypy pyright flake8 pylint black isort coverage'.split(' '),
)

/** Other names of a program. */
export const programs: Record<string, string> = {
  'py.test': 'pytest',
  './gradlew': 'gradle',
  gradlew: 'gradle',
  './mvnw': 'mvn',
  mvnw: 'mvn',
  gmake: 'make',
}

/** Folders of a project's own programs. */
export const folders = /^(?:\.\/)?(?:node_modules\/\.bin|\.?venv\/bin|vendor\/bin)\/(?=[^/]+$)/

/** Other names of a program's commands, and commands that are its default. */
export const aliases: Record<string, string> = {
  'npm run-script': 'npm run',
  'npm rum': 'npm run',
  'npm urn': 'npm run',
  'pnpm run-script': 'pnpm run',
  'cargo t': 'cargo test',
  'cargo c': 'cargo check',
  'cargo b': 'cargo build',
  'mise r': 'mise run',
  'vitest run': 'vitest',
  'tox run': 'tox',
  'tox r': 'tox',
  'tox run-parallel': 'tox',
  'tox p': 'tox',
}

export interface Runner extends CommandSpelling {
  source: string
  /** Options with a value that make another command. They may stand before the name of the script. */
  others: string
  /** Commands of the runner that run the script `test`. */
  tests: string
  /** Commands that are no scripts; undefined if each other command is the runner's own. */
  own?: string
  /** Whether the script gets only what follows `--`. */
  hasDashes?: boolean
  script: CommandSpelling
}

const ownCommands =
  'add audit bin cache config create dedupe deploy dlx doctor env exec fetch global help i import info init install licenses link list ls node npm outdated pack patch plugin prune publish rebuild remove rm root self-update set setup store unlink up update upgrade version versions why workspace workspaces constraints'

/** Programs that run the scripts of package.json. `npm test`, `npm t` and `npm run test` are the same script. */
export const runners: Record<string, Runner> = {
  npm: {
    flags: `-s --silent -q --quiet -d -dd -ddd --verbose ${color} --no-fund --no-audit --no-progress --no-update-notifier --foreground-scripts`,
    values: '--loglevel',
    others: '-w --workspace -C --prefix',
    tests: 'test t tst',
    hasDashes: true,
    script,
    source: 'https://docs.npmjs.com/cli/commands/npm-run-script https://docs.npmjs.com/cli/commands/npm-test',
  },
  pnpm: {
    flags: `-s --silent ${color} --stream --aggregate-output`,
    values: '--reporter --loglevel',
    others: '-C --dir -F --filter',
    tests: 'test t tst',
    own: ownCommands,
    script,
    source: 'https://pnpm.io/cli/run https://pnpm.io/cli/test',
  },
  yarn: {
    flags: '-s --silent',
    others: '--cwd',
    tests: 'test',
    own: ownCommands,
    script,
    source: 'https://yarnpkg.com/cli/run https://classic.yarnpkg.com/lang/en/docs/cli/run/',
  },
  bun: {
    flags: '--silent',
    others: '--cwd -F --filter',
    tests: '',
    own: `${ownCommands} test build x pm repl completions`,
    script,
    source: 'https://bun.com/docs/runtime#bun-run-script',
  },
}
