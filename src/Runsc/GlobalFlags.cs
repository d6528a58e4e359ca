namespace Runsc;

/// <summary>The flags before the subcommand.</summary>
internal sealed class GlobalFlags
{
    private static readonly string[] s_booleans = ["debug", "strace", "rootless", "version", "help"];
    private static readonly string[] s_values = ["debug-log", "strace-syscalls", "platform", "network", "root", "log", "log-format"];

    private readonly Dictionary<string, string> _values = [];

    /// <summary>Parses flags in Go's style: -flag, --flag, --flag=value; values of other than booleans may also follow as an argument of their own.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="rest">Where the subcommand starts.</param>
    /// <param name="error">What is wrong, in one line.</param>
    public static GlobalFlags? Parse(string[] arguments, out int rest, out string? error)
    {
        GlobalFlags flags = new();
        error = null;
        for (rest = 0; rest < arguments.Length && arguments[rest].StartsWith('-') && arguments[rest] != "-"; rest++)
        {
            string argument = arguments[rest];
            if (argument == "--")
            {
                rest++;
                break;
            }

            string body = argument.StartsWith("--", StringComparison.Ordinal) ? argument[2..] : argument[1..];
            int equals = body.IndexOf('=');
            string name = equals < 0 ? body : body[..equals];
            if (s_booleans.Contains(name))
            {
                string value = equals < 0 ? "true" : body[(equals + 1)..];
                if (value is not ("true" or "false" or "1" or "0" or "t" or "f" or "T" or "F" or "TRUE" or "FALSE" or "True" or "False"))
                {
                    error = $"invalid boolean value \"{value}\" for flag -{name}";
                    return null;
                }

                flags._values[name] = value[0] is 't' or 'T' or '1' ? "true" : "false";
            }
            else if (s_values.Contains(name))
            {
                if (equals < 0 && rest + 1 == arguments.Length)
                {
                    error = $"flag needs an argument: -{name}";
                    return null;
                }

                flags._values[name] = equals < 0 ? arguments[++rest] : body[(equals + 1)..];
            }
            else
            {
                error = $"flag provided but not defined: -{name}";
                return null;
            }
        }

        return flags;
    }

    /// <summary>A boolean flag.</summary>
    public bool IsSet(string name) => _values.GetValueOrDefault(name) == "true";

    /// <summary>A flag's value, or null.</summary>
    public string? Get(string name) => _values.GetValueOrDefault(name);
}
