using Runsc.Flags;

namespace Runsc.Commands;

/// <summary>Prints flags.</summary>
internal static class FlagHelp
{
    /// <summary>Two lines for each, in alphabetical order.</summary>
    public static void Write(TextWriter writer, IReadOnlyList<FlagDefinition> flags)
    {
        foreach (FlagDefinition flag in flags.OrderBy(static flag => flag.Name, StringComparer.Ordinal))
        {
            string kind = flag.Kind switch { FlagKind.Boolean => "", FlagKind.Number => " int", _ => " string" };
            string value = flag.Kind != FlagKind.Boolean && flag.Default.Length > 0 ? $" (default {flag.Default})" : "";
            string alias = flag.Alias is null ? "" : $", -{flag.Alias}";
            writer.Write($"  -{flag.Name}{alias}{kind}\n        {flag.Help}{value}\n");
        }
    }
}
