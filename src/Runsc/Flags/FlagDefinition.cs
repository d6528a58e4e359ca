namespace Runsc.Flags;

/// <summary>A flag that a command line may have.</summary>
/// <param name="Name">Without dashes.</param>
/// <param name="Kind">What its value is.</param>
/// <param name="Default">Its value if it is not given.</param>
/// <param name="Help">One line.</param>
/// <param name="Accepted">The only values that are carried out; null for all of its kind.</param>
/// <param name="Alias">Another name; null for none.</param>
internal sealed record FlagDefinition(string Name, FlagKind Kind, string Default, string Help, IReadOnlyList<string>? Accepted = null, string? Alias = null);
