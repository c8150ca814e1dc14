import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameCommand } from '../../src/nouns/run/verdict/command.ts'
import { assertLinear } from '../support/linear.ts'
import fc from '../support/random.ts'

/** Commands that are the same as the first of their row. */
const same: string[][] = [
  [
    'npm test',
    'npm run test',
    'npm t',
    'npm tst',
    'npm run-script test',
    'npm test --',
    'npm test --silent',
    'npm -s run test',
    'npm test -- --coverage',
    'npm test -- --reporter=dot --bail',
    'CI=1 npm test',
    'CI=true FORCE_COLOR=0 npm test',
    'env CI=1 npm test',
    'timeout 60 npm test',
    'timeout -k 5 -s KILL 2m npm test',
    'time npm test',
    'nice -n 10 npm test',
    'nohup npm test',
    'conduct exec -- npm test',
    'npm test 2>&1',
    'npm test > out.txt 2>&1 < /dev/null',
    'npm test &> out.txt',
    '"npm" \'test\' # all of them',
  ],
  ['npm run lint', 'npm run-script lint'],
  ['npm test -w api', 'npm run test -w api', 'npm -w api t', 'npm test -w api -- --coverage'],
  ['pnpm test', 'pnpm run test', 'pnpm t', 'pnpm test --coverage', 'pnpm -s test'],
  ['pnpm lint', 'pnpm run lint'],
  ['pnpm --filter web test', 'pnpm --filter web run test'],
  ['yarn test', 'yarn run test', 'yarn --silent test --ci'],
  ['bun run test', 'bun --silent run test', 'bun run test --bail'],
  ['bun run lint', 'bun lint'],
  ['bun test', 'bun test --bail=3 --coverage'],
  [
    'vitest',
    'npx vitest',
    'npx --no-install vitest run',
    'npm exec -- vitest run',
    'pnpm exec vitest --run',
    'bunx vitest run --reporter=verbose',
    'node_modules/.bin/vitest run --reporter dot --no-color --bail 1',
    './node_modules/.bin/vitest --coverage',
  ],
  ['jest', 'npx jest --ci --runInBand -w 2 --coverage', 'jest --bail --bail=1', 'jest -i'],
  [
    'pytest',
    'uv run pytest',
    'uv run --frozen pytest -q',
    'poetry run pytest',
    'pipenv run pytest',
    'python -m pytest',
    'python3 -m pytest -xvs',
    '.venv/bin/pytest',
    'venv/bin/python -m pytest --tb=short --tb long -rA -n auto -n4',
    'pytest --cov --cov=src --cov-report term-missing --durations=5',
    'pytest -p no:cacheprovider',
    'PYTHONDONTWRITEBYTECODE=1 pytest',
  ],
  ['pytest tests/', 'pytest -q tests/', 'pytest tests/ -q'],
  ['python -m unittest', 'python3 -m unittest discover', 'python -m unittest -v'],
  ['tox', 'tox run', 'tox -q', 'uv run tox p'],
  ['ruff check', 'ruff check .', 'uv run ruff check --output-format=github'],
  ['mypy src', 'python -m mypy --pretty src'],
  ['eslint .', 'npx eslint . --cache -f json'],
  ['tsc', 'npx tsc --noEmit', 'tsc --noEmit --pretty false', 'pnpm exec tsc'],
  ['biome ci', 'npx biome ci .', 'biome ci --reporter=github'],
  [
    'go test ./...',
    'go test -v ./...',
    'go test ./... -count=1 -timeout 60s -coverprofile=c.out',
    'go test -p 4 ./...',
  ],
  ['cargo test', 'cargo t', 'cargo test -q -j4 --no-fail-fast', 'cargo test -- --nocapture --test-threads=1'],
  ['cargo clippy -- -D warnings', 'cargo clippy --color never -- -D warnings'],
  ['make test', 'make -j8 test', 'make -j 8 test', 'make test -sk', 'make --no-print-directory test'],
  ['gradle test', './gradlew test', 'gradlew test --console=plain --no-daemon -q --warning-mode all'],
  ['mvn verify', './mvnw -B -ntp -T4 verify', 'mvn -q verify'],
  ['dotnet test', 'dotnet test --nologo -v:q', 'dotnet test -v minimal --no-restore'],
  [
    'rspec',
    'bundle exec rspec',
    'rspec -fd --order defined --fail-fast',
    'rspec -p 5 --profile 3',
    'rspec -f My::Format',
  ],
  ['mocha', 'mocha -R spec', 'mocha --reporter=min --parallel'],
  ['node --test', 'node --test --test-reporter=spec', 'node --test --test-reporter junit'],
  ['golangci-lint run', 'golangci-lint run --timeout 5m -v', 'golangci-lint run ./...'],
  ['A=1 B=2 npm test', 'B=2 CI=1 A=1 npm test', 'env A=1 B=2 npm test'],
  ['cd api && npm test', ' cd api && npm test\n'],
  ['./run-tests.sh --all', './run-tests.sh --all 2>&1'],
]

for (const [first = '', ...others] of same) {
  test(`the same as ${first}`, () => {
    for (const other of others) assert.ok(sameCommand(first, other), other)
  })
}

/** Commands that are all different from each other, and from the first of each other row. */
const different: string[][] = [
  [
    'npm test',
    'npm tests',
    'npm test one',
    'npm test -- one',
    'npm test -- -t one',
    'npm test -- -u',
    'npm test -w api',
    'npm test --workspaces',
    'npm test --if-present',
    'npm test --help',
    'npm test --prefix x',
    'npm -C x test',
    'npm run test:unit',
    'npm test -- --coverage src',
    'npm test -- --passWithNoTests',
    'npm test -- -v',
    'npm test -- --reporter=/tmp/x.js',
    'npm test -- --reporters=./x.js',
    'NODE_OPTIONS=--import=x npm test',
    'PATH=x npm test',
    'CI=$(x) npm test',
    'npm test < answers.txt',
    'npm test | tail',
    'npm test || true',
    'npm test; echo',
    '! npm test',
    'npm test &',
    '(npm test)',
    'npm test $FILES',
    "npm test '$FILES'",
    'npm test "',
    'rtk npm test',
    'sudo npm test',
    'env -i npm test',
    'timeout npm test',
    'timeout --preserve-status 9 npm test',
    'setsid npm test',
    'echo npm test',
    'bash -c "npm test"',
    '',
  ],
  ['pnpm test', 'pnpm -r test', 'pnpm -C x test', 'pnpm test -- --coverage', 'pnpm dlx test', 'pnpm --filter web test'],
  ['pnpm audit', 'pnpm run audit'],
  ['yarn test', 'yarn --cwd x test', 'yarn workspace web test'],
  ['bun test', 'bun run test', 'bun test a', 'bun test -u', 'bun test -t a', 'bun test --bail 3'],
  [
    'vitest',
    'vitest run -t one',
    'vitest run -u',
    'vitest --sequence.shuffle one',
    'vitest run --changed',
    'vitest run --retry 3',
    'vitest bench',
    'npx vitest@1',
    'npx -p vitest vitest',
    'bunx --bun vitest',
    'vitest --version',
    'vitest run --coverage 7',
    'vitest run --silent 8',
    'vitest run --coverage true',
    'vitest --coverage.enabled=false',
    'vitest --reporter /tmp/x.js',
    'vitest --reporter=dot --reporter=../x.js',
    'vitest --coverage.reporter=/tmp/x.js',
  ],
  ['mocha', 'mocha -R /tmp/x.js', 'mocha --reporter=./x.js'],
  ['eslint .', 'eslint . -f /tmp/x.js', 'eslint . --format=./x.js'],
  ['node --test', 'node --test --test-reporter /tmp/x.mjs', 'node --test --test-reporter=data:text/javascript,exit()'],
  [
    ...['jest', 'jest -u', 'jest -t one', 'jest -o', 'jest --onlyChanged', 'jest --listTests'],
    ...['jest --passWithNoTests', 'jest --bail 3', 'jest --coverage 7', 'jest --coverage=false'],
    ...['jest --reporters=/tmp/x.js', 'jest --coverageReporters=/tmp/x.js'],
  ],
  [
    'pytest',
    'pytest -k1',
    'pytest -k one',
    'pytest -vk one',
    'pytest --lf',
    'pytest .',
    'pytest tests/',
    'pytest --co',
    'pytest -p no:x',
    'PYTEST_ADDOPTS=-k1 pytest',
    'uv run --with x pytest',
    'uvx pytest',
    'python3.12 -m pytest',
    'python pytest',
    'pytest --ignore=x',
    'pytest --cov src',
    'pytest --reruns 3',
    'pytest --cov-fail-under=0',
    'pytest --cov-fail-under=90',
    'pytest --cov-config=/dev/null',
    'pytest --cov-append',
    'pytest --no-cov',
  ],
  ['python -m unittest', 'python -m unittest tests', 'python -m unittest discover tests'],
  ['ruff check', 'ruff check src', 'ruff check . src', 'ruff check --fix', 'ruff check --exit-zero', 'ruff format'],
  ['eslint .', 'eslint', 'eslint . --fix', 'eslint . --quiet', 'eslint . --max-warnings 0'],
  ['tsc', 'tsc -p x', 'tsc -b', 'tsc --skipLibCheck', 'tsc --noEmit false x', 'tsc --noEmit 1'],
  [
    'go test ./...',
    'go test ./pkg',
    'go test',
    'go test -short ./...',
    'go test -race ./...',
    'go test -count=0 ./...',
  ],
  ['go vet ./...', 'go vet -json ./...'],
  ['golangci-lint run', 'golangci-lint run --fix', 'golangci-lint run --issues-exit-code=0', 'golangci-lint run ./x'],
  [
    'cargo test',
    'cargo test --release',
    'cargo test one',
    'cargo test -p one',
    'cargo test -- one',
    'cargo +nightly test',
  ],
  ['cargo test -- --ignored', 'cargo test --no-run'],
  [
    'make test',
    'make',
    'make -n test',
    'make -i test',
    'make -q test',
    'make -t test',
    'make -C x test',
    'make test X=1',
  ],
  [
    'gradle test',
    'gradle test --warning-mode=fail',
    'gradle test --warning-mode fail',
    'gradle test --tests x',
    'gradle -x test',
    'gradle test -m',
    'gradle test --dry-run',
  ],
  ['mvn test', 'mvn test -fn', 'mvn test -DskipTests', 'mvn -pl x test', 'mvn test -Dtest=X'],
  ['dotnet test', 'dotnet test --no-build', 'dotnet test --filter x', 'dotnet test -c Release', 'dotnet test x.sln'],
  ['rspec', 'rspec -e one', 'rspec --dry-run', 'rspec --failure-exit-code 0', 'rspec -p spec/a.rb', 'rspec -p true'],
  ['tox', 'tox -e py', 'tox --notest', 'tox -p'],
]

test('any other word makes another command', () => {
  for (const row of different) {
    for (const [index, one] of row.entries()) {
      for (const other of row.slice(index + 1)) assert.ok(!sameCommand(one, other), `${one} and ${other}`)
    }
  }
  const firsts = same.map(([first = '']) => first)
  for (const [index, one] of firsts.entries()) {
    for (const other of firsts.slice(index + 1)) assert.ok(!sameCommand(one, other), `${one} and ${other}`)
  }
})

const words = fc.constantFrom(
  ...['npm', 'test', 'run', '--', '-w', '-q', '-n', '4', '-n4', '--coverage', '--tb', 'short', 'pytest', 'npx', 'CI=1'],
  ...[
    'A=1',
    'A=2',
    'timeout',
    '60',
    'env',
    'make',
    '-j',
    'python',
    '-m',
    'vitest',
    '.',
    "'a b'",
    '$X',
    '2>&1',
    '|',
    'go',
  ],
)
const commands = fc.array(words, { maxLength: 7 }).map((all) => all.join(' '))
const options = { numRuns: 3_000 }

test('being the same is an equivalence', () => {
  fc.assert(
    fc.property(commands, commands, commands, (one, other, third) => {
      assert.ok(sameCommand(one, one))
      assert.equal(sameCommand(one, other), sameCommand(other, one))
      if (sameCommand(one, other) && sameCommand(other, third)) assert.ok(sameCommand(one, third))
    }),
    options,
  )
})

test('a listed launcher or variable before a command changes nothing, another word after it does', () => {
  const simple = commands.filter(
    (command) => !/[|$]|\bnpm\b|^$/.test(command) && /^(?:pytest|make|vitest)/.test(command),
  )
  fc.assert(
    fc.property(simple, (command) => {
      for (const before of ['CI=1 ', 'env CI=1 ', 'timeout 60 ', 'npx ', 'time ', 'uv run '])
        assert.ok(sameCommand(command, before + command), before + command)
      assert.ok(!sameCommand(command, `${command} another`), command)
    }),
    { ...options, numRuns: 200 },
  )
})

test('commands up to 1 MiB take linear time', async () => {
  const units = ['a', ' ', '"', "'", '\\', '$', '- ', '-a', 'npx ', 'env ', 'A=1 ', '-- ', '-q ', '#', '\\\n', '2>&1 ']
  const begins = ['', 'npm -w ', 'pytest -', 'npm test -- ']
  await assertLinear(
    begins.flatMap((begin) => units.map((unit) => (length: number) => begin + unit.repeat(length / unit.length))),
    (command) => sameCommand(command, 'npm test'),
    131_072,
  )
})
