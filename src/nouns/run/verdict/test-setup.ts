/** Files that decide what test runners, linters and type checkers do, by their names. */
const setup = new RegExp(
  `^(?:${[
    'package\\.json|\\.npmrc|\\.yarnrc(?:\\.yml)?|bunfig\\.toml|deno\\.jsonc?|nx\\.json|turbo\\.json|project\\.json',
    '(?:vite|vitest|jest|playwright|cypress|karma|ava|eslint|babel|wdio|stryker)\\.(?:config|workspace|setup|conf)\\.\\w+',
    '\\.(?:mocharc|eslintrc|eslintignore|babelrc|nycrc|c8rc|swcrc|rspec|rubocop\\.yml|coveragerc|flake8|pylintrc)(?:\\.\\w+)?',
    'tsconfig(?:\\.[\\w.-]+)?\\.json|jsconfig\\.json|biome\\.jsonc?',
    'pyproject\\.toml|setup\\.cfg|setup\\.py|tox\\.ini|pytest\\.(?:ini|toml)|conftest\\.py|noxfile\\.py|mypy\\.ini|\\.?ruff\\.toml|pyrightconfig\\.json',
    '(?:GNU)?[Mm]akefile|.+\\.mk|CMakeLists\\.txt|[Jj]ustfile|Taskfile\\.ya?ml|\\.?mise\\.toml|Rakefile|Gemfile',
    'Cargo\\.toml|clippy\\.toml|nextest\\.toml|build\\.rs|go\\.mod|\\.golangci\\.(?:ya?ml|toml|json)',
    'pom\\.xml|(?:build|settings)\\.gradle(?:\\.kts)?|gradle\\.properties|build\\.sbt|phpunit\\.xml(?:\\.dist)?|phpstan\\.neon(?:\\.dist)?|composer\\.json',
    'Directory\\.Build\\.(?:props|targets)|.+\\.(?:csproj|fsproj|sln|runsettings)|global\\.json|mix\\.exs|\\.bazelrc|BUILD(?:\\.bazel)?',
  ].join('|')})$`,
)

/** What a reader should know who trusts a check: which files that decide what it tests have changed. */
export const setupRemark = (paths: string[]): string[] =>
  paths.length === 0
    ? []
    : [`Changed since the session began: ${paths.slice(0, 10).join(', ')}${paths.length > 10 ? ', …' : ''}.`]

/**
 * Whether a change of that file, by its path in the repository, may change what a command tests: a configuration of a
 * test runner, the file behind a script or target, or a file that the command names.
 */
export function setsUpTests(path: string, command: readonly string[]): boolean {
  return setup.test(path.slice(path.lastIndexOf('/') + 1)) || command.some((word) => word.replace(/^\.\//, '') === path)
}
