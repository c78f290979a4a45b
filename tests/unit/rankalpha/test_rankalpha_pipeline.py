from rankalpha.pipeline import following


def test_what_follows_a_dag():
    scoring, sentiment, grading = "rankalpha_scoring", "rankalpha_sentiment", "rankalpha_grading"
    assert following("rankalpha_ingestion") == (scoring, sentiment, grading)
    assert following(scoring) == following(sentiment) == (grading,)
    assert following(grading) == ()
