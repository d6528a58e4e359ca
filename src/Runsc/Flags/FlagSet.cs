using System.Globalization;

namespace Runsc.Flags;

/// <summary>Flags as Go's flag package reads them, which is what engines are used to with this program: -flag, --flag, --flag=value, the value of all but booleans also as the next
/// argument, and the first argument that is no flag ends them. (System.CommandLine takes -flag for a bundle of one-letter flags.)</summary>
/// <param name="definitions">The flags there are.</param>
internal sealed class FlagSet(IReadOnlyList<FlagDefinition> definitions)
{
    private static readonly string[] s_true = ["1", "t", "T", "true", "TRUE", "True"];
    private static readonly string[] s_false = ["0", "f", "F", "false", "FALSE", "False"];

    private readonly Dictionary<string, List<string>> _given = [];
    private readonly List<string> _written = [];

    /// <summary>The flags there are.</summary>
    public IReadOnlyList<FlagDefinition> Definitions => definitions;

    /// <summary>What follows the flags.</summary>
    public IReadOnlyList<string> Arguments { get; private set; } = [];

    /// <summary>The flags that were given, in order, each as one argument that says the same.</summary>
    public IReadOnlyList<string> Given => _written;

    /// <summary>Whether --help or -h was among flags that define neither: Go's package takes it for a question.</summary>
    public bool AsksForHelp { get; private set; }

    /// <summary>Reads arguments. Returns the first thing that is wrong with them in one line, or null. What follows a fault is read as well: where errors are to be written may be said there.</summary>
    public string? Parse(IReadOnlyList<string> arguments)
    {
        string? fault = null;
        int next = 0;
        while (next < arguments.Count && arguments[next].Length > 1 && arguments[next][0] == '-')
        {
            string argument = arguments[next++];
            if (argument == "--")
            {
                break;
            }

            string body = argument[(argument[1] == '-' ? 2 : 1)..];
            int equals = body.IndexOf('=');
            string name = equals < 0 ? body : body[..equals];
            if (name.Length == 0 || name[0] == '-')
            {
                fault ??= $"bad flag syntax: {argument}";
                continue;
            }

            if (Find(name) is not { } definition)
            {
                AsksForHelp |= name is "help" or "h";
                fault ??= $"flag provided but not defined: -{name}";

                // What it takes is not known: an argument that is no flag is its value, or the command.
                next += equals < 0 && next < arguments.Count && !arguments[next].StartsWith('-') ? 1 : 0;
                continue;
            }

            string value;
            if (equals >= 0)
            {
                value = body[(equals + 1)..];
            }
            else if (definition.Kind == FlagKind.Boolean)
            {
                value = "true";
            }
            else if (next < arguments.Count)
            {
                value = arguments[next++];
            }
            else
            {
                fault ??= $"flag needs an argument: -{name}";
                break;
            }

            string? wrong = Set(definition, value); // also behind a fault
            fault ??= wrong;
        }

        Arguments = [.. arguments.Skip(next)];
        return fault;
    }

    /// <summary>Whether the flag was given.</summary>
    public bool IsGiven(string name) => _given.ContainsKey(name);

    /// <summary>A flag's value as text.</summary>
    public string Text(string name) => _given.TryGetValue(name, out List<string>? values) ? values[^1] : Find(name)!.Default;

    /// <summary>As above, null for an empty value.</summary>
    public string? TextOrNull(string name) => Text(name) is { Length: > 0 } text ? text : null;

    /// <summary>A boolean flag.</summary>
    public bool IsSet(string name) => Text(name) == "true";

    /// <summary>A number.</summary>
    public int Number(string name) => int.Parse(Text(name), CultureInfo.InvariantCulture);

    /// <summary>All values of a flag that may occur more than once.</summary>
    public IReadOnlyList<string> List(string name) => _given.GetValueOrDefault(name) ?? [];

    private FlagDefinition? Find(string name)
    {
        foreach (FlagDefinition definition in definitions)
        {
            if (definition.Name == name || definition.Alias == name)
            {
                return definition;
            }
        }

        return null;
    }

    private string? Set(FlagDefinition definition, string value)
    {
        if (definition.Kind == FlagKind.Boolean)
        {
            if (!s_true.Contains(value) && !s_false.Contains(value))
            {
                return $"invalid boolean value \"{value}\" for flag -{definition.Name}";
            }

            value = s_true.Contains(value) ? "true" : "false";
        }
        else if (definition.Kind == FlagKind.Number && !int.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
        {
            return $"invalid value \"{value}\" for flag -{definition.Name}: a whole number is needed";
        }

        if (definition.Accepted is { } accepted && !accepted.Contains(value))
        {
            return $"flag -{definition.Name}: \"{value}\" is not supported (supported: {string.Join(", ", accepted.Select(static one => one.Length == 0 ? "empty" : one))})";
        }

        if (!_given.TryGetValue(definition.Name, out List<string>? values))
        {
            _given[definition.Name] = values = [];
        }

        values.Add(value);
        _written.Add($"--{definition.Name}={value}");
        return null;
    }
}
