/**
 * `git`: what the conductor does with a repository. Each action is one script, so that it has logs, a deadline and an end
 * like any other step. Names come as arguments, never as text of the script.
 */
import type { StepInput } from '../../schema/contracts/step-inputs.ts';
import type { Executor, StepView } from './executor.ts';
import { failed, launches, refused, succeeded } from './executor.ts';
import { endText, lastLines } from './shell.ts';

type GitInput = StepInput<'git'>;

/** For a host whose user has given git no name. */
const NO_IDENTITY = ['AUTHOR', 'COMMITTER']
  .flatMap((who) => [`GIT_${who}_NAME=conductor`, `GIT_${who}_EMAIL=conductor@localhost`])
  .join(' ');

/**
 * Takes all files into the index. `$@` are pathspecs for everything but the submodules, which git would enter with the
 * configuration that a step may have written there; each of them is taken by its HEAD alone.
 */
const ADD_ALL = `add_all() {
  git add -A "$@" || return 1
  shift
  for spec; do printf '%s\\0' "\${spec#*)}"; done | git update-index --remove -z --stdin
}
`;

/** Ends the step with a reason that another attempt would meet again. */
const REFUSED = 3;
const REFUSE = `refuse() { echo "$1" >&2; exit ${REFUSED}; }
`;

/**
 * A coding agent may have switched to a branch of its own, or to none. Then the branch of the task takes the commits of HEAD
 * where they follow its own, and HEAD is on that branch again.
 */
const ON_BRANCH = `${REFUSE}head=$(git rev-parse --verify HEAD) || exit 1
if [ "$(git symbolic-ref -q HEAD)" != "refs/heads/$1" ]
then
  # An empty old value: the branch must not exist.
  tip=
  if git show-ref --verify --quiet "refs/heads/$1"
  then
    tip=$(git rev-parse --verify "refs/heads/$1") || exit 1
    git merge-base --is-ancestor "$tip" "$head" || refuse "HEAD is at $(git symbolic-ref -q --short HEAD || echo "$head"), \
which lacks commits of $1, the branch of the task: switch back to it in $GIT_WORK_TREE, and retry the task"
  fi
  git update-ref "refs/heads/$1" "$head" "$tip" || { echo "$1, the branch of the task, has moved meanwhile, and stays as it \
is" >&2; exit 1; }
  git symbolic-ref HEAD "refs/heads/$1" || exit 1
fi
`;

/**
 * Work without a commit would stay behind, while the step says that it is done. New files beside commits are perhaps none of
 * it, such as what a build leaves: `say_left` names them.
 */
const COMMITTED = `changed() { git status --porcelain --ignore-submodules=all "$@"; }
names() { printf '%s\\n' "$1" | head -n 3 | cut -c 4- | paste -s -d , -; }
work=$(changed --untracked-files=no) || exit 1
new=$(changed --untracked-files=normal) || exit 1
if [ "$head" = "$4" ]; then work=$new; fi
[ -z "$work" ] || refuse "the work of the task is not committed here ($(names "$work")): commit it in $GIT_WORK_TREE and \
retry the task, or create a task with a git step that commits before this one"
say_left() { [ -z "$new" ] || echo "without a commit stay new files: $(names "$new")"; }
`;

/** Git works in the repository itself: its remotes may be relative to it. What git refuses stays refused. */
const IN_REPOSITORY = `case "$GIT_DIR" in /dev/null/*) ;; *) unset GIT_DIR GIT_WORK_TREE ;; esac
cd "$3" || exit 1`;

/**
 * `$1` is the branch of the task, `$2` the message or the branch to move, `$3` the repository, `$4` the base commit. The rest
 * are pathspecs, see above.
 */
const SCRIPTS: Record<GitInput['action'], string> = {
  worktree: 'echo "worktree $(pwd) on $1 at $(git rev-parse --short HEAD)"',
  commit: `${ADD_ALL}${ON_BRANCH}git var GIT_COMMITTER_IDENT > /dev/null 2>&1 || export ${NO_IDENTITY}
message=$2
shift 4
add_all "$@" || exit 1
if git diff --cached --quiet; then echo "nothing to commit"; exit 0; fi
git commit -q -m "$message" && git log -1 --format="committed %h %s"`,
  push: `${ON_BRANCH}${COMMITTED}${IN_REPOSITORY}
git push origin "$head:refs/heads/$1" && echo "pushed $1" && say_left`,
  merge: `${ON_BRANCH}${COMMITTED}${IN_REPOSITORY}
git show-ref --verify --quiet "refs/heads/$2" || refuse "$3 has no branch $2 to merge into (a tag, a commit or a branch of \
a remote is none): name one in input.into"
if [ "$(git symbolic-ref -q --short HEAD)" = "$2" ]
then git merge --ff-only -q "refs/heads/$1" || exit 1
else git fetch -q . "refs/heads/$1:refs/heads/$2" || exit 1
fi
echo "moved $2 forward to $(git rev-parse --short "refs/heads/$2")"
say_left`,
  diff: `base=$4
shift 4
git add -A -N "$@" && git diff --ignore-submodules=dirty --stat "$base"`,
};

function secondArgument(input: GitInput, { claim }: StepView): string {
  return input.action === 'merge' ? (input.into ?? claim.worktree.base_ref ?? '') : messageOf(input, claim.task.title);
}

function messageOf({ message }: GitInput, title: string): string {
  return message ?? title;
}

const ERROR_CODES: Record<GitInput['action'], string> = {
  worktree: 'git_failed',
  commit: 'git_failed',
  push: 'push_refused',
  merge: 'not_fast_forward',
  diff: 'git_failed',
};

export const git: Executor<'git'> = {
  prepare: (input, step) => {
    const { repoPath, baseSha, claim, folder, git: used } = step;
    const branch = claim.worktree.branch_name;
    if (repoPath === null || baseSha === null || branch === null || used === null) {
      return refused('no_repository', 'a git step needs a repository: name one with `repo` when you create the task');
    }
    const second = secondArgument(input, step);
    if (second === '') return refused('invalid_step_input', 'input.into: name the branch that merge moves forward');
    const script = SCRIPTS[input.action];
    const argv = ['/bin/sh', '-c', script, 'git', branch, second, repoPath, baseSha, ...used.files];
    return launches({ argv, env: { GIT_DIR: used.directory, GIT_WORK_TREE: folder } });
  },
  judge: (end, { action }) => {
    const { exit_code } = end.exit;
    if (exit_code === 0) return succeeded(lastLines(end.stdoutTail) || `${action}: done`);
    if (exit_code === REFUSED) return failed(`${action}_refused`, lastLines(end.stderrTail), { final: true });
    return failed(ERROR_CODES[action], `git ${action}: ${endText(end)}`);
  },
};
