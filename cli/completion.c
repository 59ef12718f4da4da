/* completion.c: flec completion SHELL: a script made of the tables of commands and options. */
#include <stdio.h>
#include <string.h>

#include "cli/io.h"
#include "cli/opt.h"
#include "cli/verbs.h"
#include "compiler/catalog/catalog.h"
#include "compiler/check/check.h"

static const char *const shells[] = {"bash", "zsh", "fish", NULL};

/* ---- what the scripts say ---- */

/* Words that a command's operands may be, "" where they are files or names of the user's own. */
static const char *operand_words(fl_arena *a, const char *verb)
{
    fl_buf b;
    size_t n = 0;
    fl_buf_init(&b, 1u << 20);
    if (!strcmp(verb, "explain")) {
        const chk_row *rows = chk_rows(&n);
        for (size_t i = 0; i < n; i++)
            fl_buf_addf(&b, "%s%s", i ? " " : "", rows[i].name);
    } else if (!strcmp(verb, "catalog")) {
        const cat_connector *c = cat_connectors(&n);
        for (size_t i = 0; i < n; i++)
            fl_buf_addf(&b, "%s%s", i ? " " : "", c[i].id);
    } else if (!strcmp(verb, "completion")) {
        for (size_t i = 0; shells[i]; i++)
            fl_buf_addf(&b, "%s%s", i ? " " : "", shells[i]);
    }
    const char *words = fl_strdup(a, b.p ? b.p : "");
    fl_buf_free(&b);
    return words;
}

static bool takes_files(const cli_opt *o)
{
    const char *name = cli_value_name(o);
    return !strcmp(name, "FILE") || !strcmp(name, "DIR") || !strcmp(name, "PATH");
}

/* A help text for a script: its quotes escaped as the shell does it, and what `special` names with a backslash. */
static void quoted(fl_buf *out, const char *s, const char *special, const char *quote)
{
    for (; *s; s++) {
        if (*s == '\'')
            fl_buf_adds(out, quote);
        else if (strchr(special, *s))
            fl_buf_addf(out, "\\%c", *s);
        else
            fl_buf_addc(out, *s);
    }
}

typedef struct script {
    fl_arena *a;
    fl_buf out;
    void (*option)(struct script *s, const cli_command *cmd, const cli_opt *o);
} script;

static void each_option(script *s, const cli_command *cmd, const cli_opt *common)
{
    for (const cli_opt *o = cmd->opts; o->name; o++)
        s->option(s, cmd, o);
    for (const cli_opt *o = common; o->name; o++)
        s->option(s, cmd, o);
}

/* Each command is asked for its tables. */
static void each_command(cli_visitor *fn, script *s)
{
    cli_visit(fn, s);
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        char *argv[] = {(char *)v->name, NULL};
        v->run(1, argv);
    }
    cli_visit(NULL, NULL);
}

static void words(fl_buf *out, const char *const *v)
{
    for (size_t i = 0; v[i]; i++)
        fl_buf_addf(out, "%s%s", i ? " " : "", v[i]);
}

static void verb_names(fl_buf *out)
{
    for (const cli_verb *v = cli_verbs; v->name; v++)
        fl_buf_addf(out, "%s%s", v == cli_verbs ? "" : " ", v->name);
}

/* ---- bash ---- */

static void bash_value(script *s, const cli_command *cmd, const cli_opt *o)
{
    if (o->kind == CLI_FLAG)
        return;
    fl_buf_addf(&s->out, "    %s:--%s", cmd->name, o->name);
    if (o->letter)
        fl_buf_addf(&s->out, "|%s:-%c", cmd->name, o->letter);
    fl_buf_adds(&s->out, ")");
    if (o->kind == CLI_ENUM) {
        fl_buf_adds(&s->out, " COMPREPLY=($(compgen -W \"");
        words(&s->out, o->values);
        fl_buf_adds(&s->out, "\" -- \"$cur\"));");
    } else if (takes_files(o)) {
        fl_buf_adds(&s->out, " compopt -o default 2>/dev/null;");
    }
    fl_buf_adds(&s->out, " return ;;\n");
}

static void bash_name(script *s, const cli_command *cmd, const cli_opt *o)
{
    fl_buf_addf(&s->out, " --%s", o->name);
}

static void bash_values(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    script *s = ctx;
    s->option = bash_value;
    each_option(s, cmd, common);
}

static void bash_names(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    script *s = ctx;
    fl_buf_addf(&s->out, "    %s) options=\"", cmd->name);
    s->option = bash_name;
    each_option(s, cmd, common);
    const char *known = operand_words(s->a, cmd->name);
    fl_buf_addf(&s->out, "\" operands=\"%s\" ;;\n", known);
}

static void bash(script *s)
{
    fl_buf_adds(&s->out, "# bash completion of flec; source it, or put it where bash-completion looks\n"
                         "_flec() {\n"
                         "    local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" verb='' "
                         "options='' operands='' i\n"
                         "    COMPREPLY=()\n"
                         "    [[ $cur == = ]] && cur=\n"
                         "    [[ $prev == = && $COMP_CWORD -gt 1 ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
                         "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                         "        [[ ${COMP_WORDS[i]} != -* ]] && verb=${COMP_WORDS[i]} && break\n"
                         "    done\n"
                         "    if [[ -z $verb || $verb == help ]]; then\n"
                         "        COMPREPLY=($(compgen -W \"");
    verb_names(&s->out);
    fl_buf_adds(&s->out, " help --help --version\" -- \"$cur\"))\n        return\n    fi\n    case $verb:$prev in\n");
    each_command(bash_values, s);
    fl_buf_adds(&s->out, "    esac\n    case $verb in\n");
    each_command(bash_names, s);
    fl_buf_adds(&s->out, "    esac\n"
                         "    if [[ $cur == -* ]]; then\n"
                         "        COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
                         "    elif [[ -n $operands ]]; then\n"
                         "        COMPREPLY=($(compgen -W \"$operands\" -- \"$cur\"))\n"
                         "    else\n"
                         "        compopt -o default 2>/dev/null\n"
                         "    fi\n"
                         "}\n"
                         "complete -F _flec flec\n");
}

/* ---- zsh ---- */

static void zsh_option(script *s, const cli_command *cmd, const cli_opt *o)
{
    const char *equals = o->kind == CLI_FLAG ? "" : "=";
    fl_buf_adds(&s->out, " \\\n            ");
    if (o->letter && o->kind == CLI_LIST) /* may be given again */
        fl_buf_adds(&s->out, "'*'");
    else if (o->letter)
        fl_buf_addf(&s->out, "'(-%c --%s)'", o->letter, o->name);
    if (o->letter)
        fl_buf_addf(&s->out, "{-%c%s,--%s%s}'[", o->letter, *equals ? "+" : "", o->name, equals);
    else
        fl_buf_addf(&s->out, "'%s--%s%s[", o->kind == CLI_LIST ? "*" : "", o->name, equals);
    quoted(&s->out, o->help, "[]\\", "'\\''");
    fl_buf_addc(&s->out, ']');
    if (o->kind == CLI_ENUM) {
        fl_buf_addf(&s->out, ":%s:(", o->name);
        words(&s->out, o->values);
        fl_buf_addc(&s->out, ')');
    } else if (o->kind != CLI_FLAG) {
        fl_buf_addf(&s->out, ":%s:%s", cli_value_name(o), takes_files(o) ? "_files" : "");
    }
    fl_buf_addc(&s->out, '\'');
}

static void zsh_command(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    script *s = ctx;
    const char *known = operand_words(s->a, cmd->name);
    fl_buf_addf(&s->out, "        %s) _arguments -s :", cmd->name);
    s->option = zsh_option;
    each_option(s, cmd, common);
    if (*known)
        fl_buf_addf(&s->out, " \\\n            '*:operand:(%s)' ;;\n", known);
    else
        fl_buf_adds(&s->out, " \\\n            '*:file:_files' ;;\n");
}

static void zsh(script *s)
{
    fl_buf_adds(&s->out, "#compdef flec\n"
                         "# zsh completion of flec; put it into a folder of $fpath as _flec, or source it\n"
                         "_flec() {\n"
                         "    local -a verbs=(\n");
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        fl_buf_addf(&s->out, "        '%s:", v->name);
        quoted(&s->out, v->help, "\\", "'\\''");
        fl_buf_adds(&s->out, "'\n");
    }
    fl_buf_adds(&s->out, "    )\n"
                         "    if ((CURRENT == 2)); then\n"
                         "        _describe command verbs\n"
                         "        return\n"
                         "    fi\n"
                         "    local verb=$words[2]\n"
                         "    shift words\n"
                         "    ((CURRENT--))\n"
                         "    case $verb in\n");
    each_command(zsh_command, s);
    fl_buf_adds(&s->out, "    esac\n"
                         "}\n"
                         "if [[ $funcstack[1] == _flec ]]; then\n"
                         "    _flec \"$@\"\n"
                         "elif (($+functions[compdef])); then\n"
                         "    compdef _flec flec\n"
                         "fi\n");
}

/* ---- fish ---- */

static void fish_option(script *s, const cli_command *cmd, const cli_opt *o)
{
    fl_buf_addf(&s->out, "complete -c flec -n '__fish_seen_subcommand_from %s' -l %s", cmd->name, o->name);
    if (o->letter)
        fl_buf_addf(&s->out, " -s %c", o->letter);
    if (o->kind == CLI_ENUM) {
        fl_buf_adds(&s->out, " -x -a '");
        words(&s->out, o->values);
        fl_buf_addc(&s->out, '\'');
    } else if (o->kind != CLI_FLAG) {
        fl_buf_adds(&s->out, takes_files(o) ? " -r -F" : " -x");
    }
    fl_buf_adds(&s->out, " -d '");
    quoted(&s->out, o->help, "\\", "\\'");
    fl_buf_adds(&s->out, "'\n");
}

static void fish_command(const cli_command *cmd, const cli_opt *common, void *ctx)
{
    script *s = ctx;
    const char *known = operand_words(s->a, cmd->name);
    s->option = fish_option;
    each_option(s, cmd, common);
    if (*known)
        fl_buf_addf(&s->out, "complete -c flec -n '__fish_seen_subcommand_from %s' -f -a '%s'\n", cmd->name, known);
}

static void fish(script *s)
{
    fl_buf_adds(&s->out, "# fish completion of flec; put it into ~/.config/fish/completions/flec.fish\n");
    for (const cli_verb *v = cli_verbs; v->name; v++) {
        fl_buf_addf(&s->out, "complete -c flec -n __fish_use_subcommand -f -a %s -d '", v->name);
        quoted(&s->out, v->help, "\\", "\\'");
        fl_buf_adds(&s->out, "'\n");
    }
    each_command(fish_command, s);
}

/* ---- the command ---- */

int cli_completion(int argc, char **argv)
{
    static void (*const makers[])(script * s) = {bash, zsh, fish};
    const cli_opt opts[] = {{0}};
    const cli_command cmd = {"completion",
                             "bash|zsh|fish",
                             "writes a script that completes commands, options and their values in that shell",
                             opts,
                             1,
                             1};
    cli_args args;
    int done = cli_parse(&cmd, argc, argv, &args);
    size_t i = 0;
    if (done >= 0)
        return done;
    while (shells[i] && strcmp(shells[i], args.v[0]))
        i++;
    if (!shells[i])
        return cli_usage(&cmd, "there is no script for `%s`: bash, zsh, fish", args.v[0]);
    script s = {.a = fl_arena_new()};
    fl_buf_init(&s.out, 4u << 20);
    makers[i](&s);
    fwrite(s.out.p, 1, s.out.len, stdout);
    fl_buf_free(&s.out);
    fl_arena_free(s.a);
    return (int)cli_finish(FL_OK);
}
