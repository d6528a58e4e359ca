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

    /// <summary>The flags there are.</summary>
    public IReadOnlyList<FlagDefinition> Definitions => definitions;

    /// <summary>What follows the flags.</summary>
    public IReadOnlyList<string> Arguments { get; private set; } = [];

    /// <summary>Reads arguments. Returns what is wrong with them in one line, or null.</summary>
    public string? Parse(IReadOnlyList<string> arguments)
    {
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
                return $"bad flag syntax: {argument}";
            }

            if (Find(name) is not { } definition)
            {
                return $"flag provided but not defined: -{name}";
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
                return $"flag needs an argument: -{name}";
            }

            if (Set(definition, value) is { } fault)
            {
                return fault;
            }
        }

        Arguments = [.. arguments.Skip(next)];
        return null;
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
            if (definition.Name == name)
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
        return null;
    }
}
