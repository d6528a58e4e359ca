namespace Moat.Sentry.Seccomp;

/// <summary><c>enum scmp_compare</c>.</summary>
internal enum ArgumentComparison
{
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    MaskedEqual,
}
