namespace Moat.Sentry.Seccomp;

/// <summary>What a filter says of one call.</summary>
/// <param name="Tests">What must all hold; none: whatever the arguments.</param>
/// <param name="Decision">What the filter returns then.</param>
internal sealed record CallRule(IReadOnlyList<ArgumentTest> Tests, uint Decision);
